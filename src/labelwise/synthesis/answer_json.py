"""Find the JSON object in an answer that may have a code fence, thoughts or courtesies around it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from labelwise.synthesis.invalid import InvalidAnswerError, RefusedError

__all__ = ["find_object"]

_MAX_ANSWER_CHARACTERS: Final = 400_000
# An object that starts at a brace can be as long as the rest of the answer: few starts keep the work bounded.
_MAX_STARTS: Final = 200

# How refusals open, with typographic apostrophes made plain.
_REFUSAL: Final = re.compile(
    r"\W*(?:unfortunately,? )?(?:as an ai\b"
    r"|(?:i'?m |i am )?(?:very |so |really )?sorry\b"
    r"|i (?:cannot|can'?t|can not|won'?t|will not|must decline)\b"
    r"|i(?:'m| am) (?:unable|not able|not allowed)\b)",
    re.IGNORECASE,
)
_TYPOGRAPHIC_APOSTROPHE: Final = "\u2019"


def find_object(answer: str, *, keys: Sequence[str]) -> dict[str, Any]:
    """Return the last JSON object of an answer that has all the keys; drafts come before it.

    Raises:
        RefusedError: there is no JSON, and the answer opens like a refusal.
        InvalidAnswerError: there is no such object.
    """
    if len(answer) > _MAX_ANSWER_CHARACTERS:
        raise InvalidAnswerError("too long", f"the answer has more than {_MAX_ANSWER_CHARACTERS} characters")
    found = [value for value in _objects(answer) if all(key in value for key in keys)]
    if found:
        return found[-1]
    if "{" not in answer and _REFUSAL.match(answer.replace(_TYPOGRAPHIC_APOSTROPHE, "'")):
        raise RefusedError
    wanted = " and ".join(f'"{key}"' for key in keys)
    raise InvalidAnswerError("no JSON", f"it holds no complete, valid JSON object with {wanted}")


def _objects(answer: str) -> list[dict[str, Any]]:
    decoder = json.JSONDecoder(object_pairs_hook=_unique_pairs, parse_constant=_no_constant)
    objects = []
    start = answer.find("{")
    for _ in range(_MAX_STARTS):
        if start < 0:
            break
        try:
            value, end = decoder.raw_decode(answer, start)
            objects.append(value)
        except (ValueError, RecursionError):
            end = start + 1
        start = answer.find("{", end)
    return objects


def _unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a key is there twice")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")

"""Read question sets in the SQuAD 2.0 layout, and the prediction files that belong to them."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labelwise.errors import DataError

__all__ = [
    "SquadQuestion",
    "parse_squad",
    "read_na_probs",
    "read_predictions",
    "read_squad",
    "read_squad_document",
]


@dataclass(frozen=True, slots=True)
class SquadQuestion:
    """One question about one context.

    Attributes:
        id: the key of its prediction.
        question: what is asked.
        context: where the answer is looked for.
        answers: the texts that count as right; none means that the context does not answer it.
    """

    id: str
    question: str
    context: str
    answers: tuple[str, ...]

    @property
    def has_answer(self) -> bool:
        """True when at least one answer is given; the measure looks at this, never at ``is_impossible``."""
        return bool(self.answers)


def read_squad(path: Path) -> list[SquadQuestion]:
    """Read a SQuAD 1.1 or 2.0 file (``.json`` or ``.json.gz``), in file order.

    Raises:
        DataError: the file cannot be read, is not JSON, or a question lacks a field (its place is named).
    """
    try:
        return parse_squad(read_squad_document(path))
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def read_squad_document(path: Path) -> Any:
    """Return what a ``.json`` or ``.json.gz`` file holds, in whatever layout.

    Raises:
        DataError: the file cannot be read, or is not JSON.
    """
    try:
        content = path.read_bytes()
        return json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not JSON: {error}") from error


def parse_squad(document: Mapping[str, Any]) -> list[SquadQuestion]:
    """Return the questions of a parsed SQuAD document, in order.

    Raises:
        DataError: a field is missing or of the wrong type.

    >>> qas = [{"id": 7, "question": "Who left?", "answers": [{"text": "Ann"}]}]
    >>> paragraph = {"context": "Ann left.", "qas": qas}
    >>> parse_squad({"data": [{"paragraphs": [paragraph]}]})[0].answers
    ('Ann',)
    """
    return [
        _question(qa, context=_field(paragraph, "context", str, place=place), place=f"{place}.qas[{number}]")
        for place, paragraph in _paragraphs(document)
        for number, qa in enumerate(_field(paragraph, "qas", list, place=place))
    ]


def read_predictions(path: Path) -> dict[str, str]:
    """Read a ``predictions.json``: question id to answer text, "" for no answer.

    Raises:
        DataError: it cannot be read or a value is not a text.
    """
    values = _read_object(path)
    wrong = next((key for key, value in values.items() if not isinstance(value, str)), None)
    if wrong is not None:
        raise DataError(f"{path}: the prediction of {wrong!r} is {values[wrong]!r}, it must be a text")
    return values


def read_na_probs(path: Path) -> dict[str, float]:
    """Read a ``na_prob.json`` or ``null_odds.json``: question id to how likely "no answer" is.

    Raises:
        DataError: it cannot be read or a value is not a number.
    """
    values = _read_object(path)
    for key, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise DataError(f"{path}: the value of {key!r} is {value!r}, it must be a number")
    return {key: float(value) for key, value in values.items()}


def _paragraphs(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for number, article in enumerate(_field(document, "data", list, place="the document")):
        place = f"data[{number}]"
        for inner, paragraph in enumerate(_field(article, "paragraphs", list, place=place)):
            yield f"{place}.paragraphs[{inner}]", paragraph


def _question(qa: Any, *, context: str, place: str) -> SquadQuestion:
    # Some sets that copy the layout number their questions; prediction files can only have text keys.
    identity = _field(qa, "id", (str, int), place=place)
    answers = _field(qa, "answers", list, place=place)
    return SquadQuestion(
        id=str(identity),
        question=_field(qa, "question", str, place=place),
        context=context,
        answers=tuple(
            _field(answer, "text", str, place=f"{place}.answers[{number}]")
            for number, answer in enumerate(answers)
        ),
    )


def _field(value: Any, name: str, kind: type | tuple[type, ...], *, place: str) -> Any:
    if not isinstance(value, Mapping) or name not in value:
        raise DataError(f"{place} has no {name!r}: the file is not in the SQuAD layout")
    found = value[name]
    if not isinstance(found, kind) or isinstance(found, bool):
        raise DataError(
            f"{place}.{name} is of type {type(found).__name__}: the file is not in the SQuAD layout"
        )
    return found


def _read_object(path: Path) -> dict[str, Any]:
    values = read_squad_document(path)
    if not isinstance(values, dict):
        raise DataError(f"{path} must hold a JSON object, got {type(values).__name__}")
    return values

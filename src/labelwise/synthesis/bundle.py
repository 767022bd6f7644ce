"""From a model's answer to a bundle: find the JSON, and check every promise that the rows make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from labelwise.synthesis.answer_json import find_object
from labelwise.synthesis.invalid import InvalidAnswerError
from labelwise.synthesis.plan import BundleRequest
from labelwise.synthesis.rows import label_key, text_key

__all__ = ["Bundle", "LabelledText", "parse_bundle"]

_MIN_LABEL_CHARACTERS: Final = 3
_MAX_LABEL_CHARACTERS: Final = 80
_MIN_POOL_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text of a bundle."""

    text: str
    labels: tuple[str, ...]
    not_labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """Texts that share a pool of labels, each true of at least one text and false of at least one other.

    Attributes:
        num_labels_dropped: labels that the model gave and that did not keep that promise.
    """

    texts: tuple[LabelledText, ...]
    num_labels_dropped: int


def parse_bundle(answer: str, request: BundleRequest) -> Bundle:
    """Read a bundle out of an answer, fenced or with words around it.

    A label that is not true of one text and false of another is dropped; everything else that is wrong with
    an answer makes the whole of it unusable.

    Raises:
        InvalidAnswerError: the answer cannot be used; it says why.
    """
    fields = find_object(answer, keys=("labels", "texts"))
    pool = _pool(fields["labels"])
    entries = fields["texts"]
    if not isinstance(entries, list) or len(entries) != request.num_texts:
        found = f"{len(entries)} texts" if isinstance(entries, list) else "no list of texts"
        raise InvalidAnswerError("number of texts", f"{found} in place of {request.num_texts}")
    texts = [_labelled_text(entry, pool) for entry in entries]
    _check_texts(texts, request)
    return _with_shared_labels(texts, pool, request)


def _pool(value: object) -> dict[str, str]:
    pool: dict[str, str] = {}
    for label in _strings(value, "labels"):
        clean = " ".join(label.split())
        if not _MIN_LABEL_CHARACTERS <= len(clean) <= _MAX_LABEL_CHARACTERS:
            raise InvalidAnswerError(
                "label length",
                f"a label has {len(clean)} characters in place of "
                f"{_MIN_LABEL_CHARACTERS} to {_MAX_LABEL_CHARACTERS}",
            )
        if label_key(clean) in pool:
            raise InvalidAnswerError("doubled label", "a label is in the pool twice")
        pool[label_key(clean)] = clean
    return pool


def _labelled_text(entry: object, pool: dict[str, str]) -> LabelledText:
    if not isinstance(entry, dict) or not {"text", "true", "false"} <= entry.keys():
        raise InvalidAnswerError("wrong shape", 'a text is not an object with "text", "true" and "false"')
    (text,) = _strings([entry["text"]], "text")
    true, false = (_label_keys(entry[side], side, pool) for side in ("true", "false"))
    if set(true) & set(false):
        raise InvalidAnswerError("contradiction", "a label is both true and false of one text")
    return LabelledText(text.strip(), tuple(true), tuple(false))


def _label_keys(value: object, side: str, pool: dict[str, str]) -> list[str]:
    keys = [label_key(label) for label in _strings(value, side)]
    if not pool.keys() >= set(keys):
        raise InvalidAnswerError("unknown label", f'a label under "{side}" is not in the pool')
    return list(dict.fromkeys(keys))


def _check_texts(texts: Sequence[LabelledText], request: BundleRequest) -> None:
    for entry in texts:
        if not request.length.allows(entry.text):
            raise InvalidAnswerError(
                "text length",
                f"a text has {len(entry.text.split())} words in place of "
                f"{request.length.min_words} to {request.length.max_words}",
            )
    if len({text_key(entry.text) for entry in texts}) < len(texts):
        raise InvalidAnswerError("doubled text", "two texts are the same")


def _with_shared_labels(
    texts: Sequence[LabelledText], pool: dict[str, str], request: BundleRequest
) -> Bundle:
    # No label is on both sides of one text, so one text each is enough for "another text".
    num_true = Counter(key for entry in texts for key in entry.labels)
    num_false = Counter(key for entry in texts for key in entry.not_labels)
    shared = {key: label for key, label in pool.items() if num_true[key] and num_false[key]}
    if len(shared) < request.num_labels * _MIN_POOL_SHARE:
        raise InvalidAnswerError(
            "shared labels",
            f"only {len(shared)} labels in place of {request.num_labels} "
            f"are true of one text and false of another",
        )
    kept = [
        LabelledText(
            entry.text,
            tuple(shared[key] for key in entry.labels if key in shared),
            tuple(shared[key] for key in entry.not_labels if key in shared),
        )
        for entry in texts
    ]
    if not all(entry.labels and entry.not_labels for entry in kept):
        raise InvalidAnswerError("text without labels", "a text has no true or no false label left")
    return Bundle(tuple(kept), len(pool) - len(shared))


def _strings(value: Any, what: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise InvalidAnswerError("wrong shape", f'"{what}" is not made of strings with words')
    if not all(_is_writable(item) for item in value):
        raise InvalidAnswerError("wrong shape", f'"{what}" holds a half or a control character')
    return value


def _is_writable(text: str) -> bool:
    # JSON can spell half a surrogate pair, which no UTF-8 file can hold; control characters have no use.
    return not any("\ud800" <= char <= "\udfff" or (char < " " and char not in "\n\t\r") for char in text)

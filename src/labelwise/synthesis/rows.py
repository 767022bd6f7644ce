"""One written text with labels that are true and false of it, and how two copies of it become one."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

__all__ = ["SyntheticRow", "label_key", "merged", "text_key"]


@dataclass(frozen=True, slots=True)
class SyntheticRow:
    """A row of the output.

    Attributes:
        text: what the model wrote.
        labels: labels that are true of the text.
        not_labels: labels that are false of it, each true of another text of the same bundle.
        genre: what kind of text was asked for.
        length: the name of the length band that was asked for.
        reading_level: the CEFR level that was asked for.
        bundle: number of the bundle in the plan.
        model: the model that was asked.
    """

    text: str
    labels: tuple[str, ...]
    not_labels: tuple[str, ...]
    genre: str
    length: str
    reading_level: str
    bundle: int
    model: str

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> SyntheticRow:
        """Read a row back.

        Raises:
            KeyError, TypeError: it is not such a row.
        """
        lists = {name: tuple(fields[name]) for name in ("labels", "not_labels")}
        return cls(**{**fields, **lists})

    def to_dict(self) -> dict[str, Any]:
        """Return the row as JSON keeps it."""
        return {**asdict(self), "labels": list(self.labels), "not_labels": list(self.not_labels)}


def text_key(text: str) -> str:
    """Return what two texts share that differ only in case, white space or the form of their characters."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def label_key(label: str) -> str:
    """Return what two spellings of a label share: as for texts, and underscores count as spaces."""
    return text_key(label.replace("_", " "))


def merged(row: SyntheticRow, *, labels: Iterable[str], not_labels: Iterable[str]) -> SyntheticRow:
    """Join a second copy of a text: the union of the labels, where what is true anywhere is not false.

    The order in which copies come does not change the outcome, except for the spelling that stays.
    """
    true = _distinct([*row.labels, *labels])
    true_keys = {label_key(label) for label in true}
    false = _distinct([*row.not_labels, *not_labels])
    return replace(
        row, labels=true, not_labels=tuple(label for label in false if label_key(label) not in true_keys)
    )


def _distinct(labels: Iterable[str]) -> tuple[str, ...]:
    first_spelling: dict[str, str] = {}
    for label in labels:
        first_spelling.setdefault(label_key(label), label)
    return tuple(first_spelling.values())

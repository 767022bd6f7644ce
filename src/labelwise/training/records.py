"""Rows of training data as they lie in JSONL files, read with every bad row named and counted."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from labelwise.errors import DataError

__all__ = [
    "PAIR_LABELS",
    "BadRow",
    "LabelledText",
    "Pair",
    "Passage",
    "ReadRows",
    "read_labelled_texts",
    "read_pairs",
    "read_passages",
]

PAIR_LABELS = ("entailment", "neutral", "contradiction", "not_entailment")

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Pair:
    """A premise, a hypothesis and one of ``PAIR_LABELS``."""

    premise: str
    hypothesis: str
    label: str

    def __post_init__(self) -> None:
        if not self.premise.strip() or not self.hypothesis.strip():
            raise DataError("the premise or the hypothesis is empty: fill it or drop the row")
        if self.label not in PAIR_LABELS:
            raise DataError(f"label is {self.label!r}: use one of {', '.join(PAIR_LABELS)}")


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text with the labels that are true of it and, where the file says so, labels known to be false."""

    text: str
    labels: tuple[str, ...]
    not_labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise DataError("the text is empty: fill it or drop the row")
        if not self.labels and not self.not_labels:
            raise DataError("no label at all: give 'label', 'labels' or 'not_labels'")
        contradictory = set(self.labels) & set(self.not_labels)
        if contradictory:
            raise DataError(f"{sorted(contradictory)[0]!r} is in both labels and not_labels: keep it in one")


@dataclass(frozen=True, slots=True)
class Passage:
    """A text with statements that it entails, leaves open or contradicts."""

    text: str
    entailed: tuple[str, ...]
    neutral: tuple[str, ...]
    contradicted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was left out: where it is and why."""

    file: str
    row_number: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file} row {self.row_number}: {self.reason}"


@dataclass(frozen=True, slots=True)
class ReadRows(Generic[Row]):
    """The usable rows of a file in order, and the rows that were left out."""

    rows: tuple[Row, ...]
    bad_rows: tuple[BadRow, ...]


def read_pairs(path: Path) -> ReadRows[Pair]:
    """Read rows with ``premise``, ``hypothesis`` and ``label``.

    Raises:
        DataError: the file cannot be read or has no usable row.
    """
    return _read(path, _pair)


def read_labelled_texts(path: Path) -> ReadRows[LabelledText]:
    """Read rows with ``text`` and ``label`` or ``labels``, and optionally ``not_labels``.

    Raises:
        DataError: the file cannot be read or has no usable row.
    """
    return _read(path, _labelled_text)


def read_passages(path: Path) -> ReadRows[Passage]:
    """Read rows with ``text`` and lists ``entailed``, ``neutral`` and ``contradicted``.

    Raises:
        DataError: the file cannot be read or has no usable row.
    """
    return _read(path, _passage)


def _read(path: Path, parse: Callable[[Mapping[str, Any]], Row]) -> ReadRows[Row]:
    rows: list[Row] = []
    bad_rows: list[BadRow] = []
    for row_number, line in _numbered_lines(path):
        try:
            value = json.loads(line)
            if not isinstance(value, dict):
                raise DataError(f"not a JSON object but {type(value).__name__}")
            rows.append(parse(value))
        except json.JSONDecodeError as error:
            bad_rows.append(BadRow(path.name, row_number, f"not JSON ({error.msg})"))
        except DataError as error:
            bad_rows.append(BadRow(path.name, row_number, str(error)))
    if not rows:
        first = f" (first: {bad_rows[0]})" if bad_rows else ""
        raise DataError(f"{path} has no usable row{first}: give a JSONL file with one object per line")
    return ReadRows(tuple(rows), tuple(bad_rows))


def _numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8") as lines
        ):
            for row_number, line in enumerate(lines, start=1):
                if line.strip():
                    yield row_number, line
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {path}: {error}") from error


def _pair(value: Mapping[str, Any]) -> Pair:
    return Pair(_text(value, "premise"), _text(value, "hypothesis"), _text(value, "label"))


def _labelled_text(value: Mapping[str, Any]) -> LabelledText:
    labels = (_text(value, "label"),) if "label" in value else _texts(value, "labels")
    return LabelledText(_text(value, "text"), labels, _texts(value, "not_labels"))


def _passage(value: Mapping[str, Any]) -> Passage:
    return Passage(
        _text(value, "text"),
        entailed=_texts(value, "entailed"),
        neutral=_texts(value, "neutral"),
        contradicted=_texts(value, "contradicted"),
    )


def _text(value: Mapping[str, Any], key: str) -> str:
    text = value.get(key)
    if not isinstance(text, str):
        raise DataError(f"{key!r} is {text!r}: give a string")
    return text


def _texts(value: Mapping[str, Any], key: str) -> tuple[str, ...]:
    texts = value.get(key, [])
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise DataError(f"{key!r} is {texts!r}: give a list of strings")
    return tuple(texts)

"""Rows of training data from files of any format or from elsewhere, with every bad row named and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from labelwise.errors import DataError, InputError
from labelwise.files.row import BadRow as UnreadRow
from labelwise.files.row import Row as FileRow
from labelwise.files.rows import RowSource

__all__ = [
    "PAIR_LABELS",
    "BadRow",
    "LabelledText",
    "Layout",
    "NumberedRows",
    "Pair",
    "Passage",
    "ReadRows",
    "file_rows",
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


@dataclass(frozen=True, slots=True)
class Layout:
    """How rows name things: our name of a column -> theirs, and their label -> the one that is meant.

    Labels that are numbers or truth values need a name here; ``1`` and ``1.0`` are both called "1".
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    label_names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NumberedRows:
    """Rows from elsewhere than a file, and what to call the place."""

    name: str
    rows: Iterable[FileRow | UnreadRow]


AS_THEY_ARE = Layout()


def read_pairs(source: Path | NumberedRows, *, layout: Layout = AS_THEY_ARE) -> ReadRows[Pair]:
    """Read rows with ``premise``, ``hypothesis`` and ``label``.

    Raises:
        DataError: the source cannot be read or has no usable row.
        InputError: it lacks a column that the layout names.
    """
    return _read(source, _pair, layout)


def read_labelled_texts(
    source: Path | NumberedRows, *, layout: Layout = AS_THEY_ARE
) -> ReadRows[LabelledText]:
    """Read rows with ``text`` and ``label`` or ``labels``, and optionally ``not_labels``.

    Raises:
        DataError: the source cannot be read or has no usable row.
        InputError: it lacks a column that the layout names.
    """
    return _read(source, _labelled_text, layout)


def read_passages(source: Path | NumberedRows, *, layout: Layout = AS_THEY_ARE) -> ReadRows[Passage]:
    """Read rows with ``text`` and lists ``entailed``, ``neutral`` and ``contradicted``.

    Raises:
        DataError: the source cannot be read or has no usable row.
        InputError: it lacks a column that the layout names.
    """
    return _read(source, _passage, layout)


def _read(
    source: Path | NumberedRows, parse: Callable[[Mapping[str, Any], Layout], Row], layout: Layout
) -> ReadRows[Row]:
    numbered = file_rows(source, layout=layout) if isinstance(source, Path) else source
    rows: list[Row] = []
    bad_rows: list[BadRow] = []
    for row in numbered.rows:
        if isinstance(row, UnreadRow):
            bad_rows.append(BadRow(numbered.name, row.number, row.reason))
            continue
        try:
            rows.append(parse(_renamed(row.values, layout), layout))
        except DataError as error:
            bad_rows.append(BadRow(numbered.name, row.number, str(error)))
    if not rows:
        first = f" (first: {bad_rows[0]})" if bad_rows else ""
        raise DataError(f"{_name(source)} has no usable row{first}: correct it, or leave it out")
    return ReadRows(tuple(rows), tuple(bad_rows))


def _name(source: Path | NumberedRows) -> str:
    return str(source) if isinstance(source, Path) else source.name


def file_rows(path: Path, *, layout: Layout = AS_THEY_ARE) -> NumberedRows:
    """Open a JSONL, CSV, TSV or Parquet file; broken rows come as such.

    Raises:
        DataError: there is no such file, or it is not what it says.
        InputError: its format is unknown, or it lacks a column that the layout names.
    """
    try:
        file = RowSource.at(path, on_bad_row="skip")
        if layout.columns and file.format.has_fixed_columns:
            _require_columns(path, layout.columns.values(), file.column_names() or ())
    except InputError as error:
        if not path.is_file():
            raise DataError(f"cannot read {path}: {error}") from error
        raise
    return NumberedRows(path.name, _opened(file))


def _opened(file: RowSource) -> Iterator[FileRow | UnreadRow]:
    # A reader tells of bad rows as it passes them: they wait here until the next good row comes.
    unread: list[UnreadRow] = []
    with file.open(on_bad=unread.append) as rows:
        for row in rows:
            yield from unread
            unread.clear()
            yield row
    yield from unread


def _require_columns(path: Path, wanted: Iterable[str], existing: Iterable[str]) -> None:
    existing = tuple(existing)
    for column in wanted:
        if column not in existing:
            raise InputError(
                f"{path} has no column {column!r}: it has {', '.join(repr(name) for name in existing)}"
            )


def _renamed(values: Mapping[str, Any], layout: Layout) -> Mapping[str, Any]:
    if not layout.columns:
        return values
    theirs = set(layout.columns.values())
    kept = {
        name: value for name, value in values.items() if name not in theirs and name not in layout.columns
    }
    return {**kept, **{ours: values[name] for ours, name in layout.columns.items() if name in values}}


def _pair(value: Mapping[str, Any], layout: Layout) -> Pair:
    premise, hypothesis = _text(value, "premise"), _text(value, "hypothesis")
    return Pair(premise, hypothesis, _label(_value(value, "label"), layout, PAIR_LABELS))


def _labelled_text(value: Mapping[str, Any], layout: Layout) -> LabelledText:
    labels = (_label(value["label"], layout),) if "label" in value else _labels(value, "labels", layout)
    return LabelledText(_text(value, "text"), labels, _labels(value, "not_labels", layout))


def _passage(value: Mapping[str, Any], layout: Layout) -> Passage:
    return Passage(
        _text(value, "text"),
        entailed=_texts(value, "entailed"),
        neutral=_texts(value, "neutral"),
        contradicted=_texts(value, "contradicted"),
    )


def _labels(value: Mapping[str, Any], key: str, layout: Layout) -> tuple[str, ...]:
    if not layout.label_names:
        return _texts(value, key)
    labels = value.get(key) or []
    if not isinstance(labels, list):
        raise DataError(f"{key!r} is {labels!r}: give a list")
    return tuple(dict.fromkeys(_label(label, layout) for label in labels))


def _label(label: Any, layout: Layout, known: tuple[str, ...] = ()) -> str:
    if isinstance(label, bool):
        written = str(label).lower()
    elif isinstance(label, float) and label.is_integer():
        written = str(int(label))
    else:
        written = str(label)
    if written in layout.label_names:
        return layout.label_names[written]
    if layout.label_names and written not in (*layout.label_names.values(), *known):
        raise DataError(f"label {label!r} is not in label_names: add it there, or drop the row")
    if not isinstance(label, str):
        raise DataError(f"'label' is {label!r}: give a string, or its meaning in label_names")
    return label


def _text(value: Mapping[str, Any], key: str) -> str:
    text = _value(value, key)
    if not isinstance(text, str):
        raise DataError(f"{key!r} is {text!r}: give a string")
    return text


def _value(value: Mapping[str, Any], key: str) -> Any:
    if key not in value:
        raise DataError(f"{key!r} is None: the row has only {', '.join(map(repr, value))}")
    return value[key]


def _texts(value: Mapping[str, Any], key: str) -> tuple[str, ...]:
    texts = value.get(key, [])
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise DataError(f"{key!r} is {texts!r}: give a list of strings")
    return tuple(texts)

"""Rows of a registered dataset as its source has them -> texts with the names of their classes.

The same reading serves training and evaluation, so that both mean the same by a class, and so that a text
of a dataset without a test split is on one side only.
"""

from __future__ import annotations

import hashlib
import html
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from labelwise.errors import DataError
from labelwise.evaluation.registry import RegisteredDataset

__all__ = ["LeftOutRow", "Part", "RegisteredRow", "is_held_out", "registered_rows"]

Part = Literal["train", "test"]
NumberedRow = tuple[int, Mapping[str, Any]]

_NO_GOLD_LABEL = "-1"


@dataclass(frozen=True, slots=True)
class RegisteredRow:
    """A usable row; ``label`` is the name of a class, or the relation where there is a ``hypothesis``."""

    number: int
    text: str
    label: str
    hypothesis: str | None = None


@dataclass(frozen=True, slots=True)
class LeftOutRow:
    """A row without use; ``is_planned`` where the registry leaves it out and nothing is wrong with it."""

    number: int
    reason: str
    is_planned: bool = False

    def __str__(self) -> str:
        return f"row {self.number}: {self.reason}"


class _PlannedError(DataError):
    """The registry leaves this row out."""


def is_held_out(text: str, share: float) -> bool:
    """Tell whether a text belongs to the test part, by its hash: the same on every machine, in every order.

    >>> is_held_out("any text", 1.0), is_held_out("any text", 0.0)
    (True, False)
    """
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < share


def registered_rows(
    dataset: RegisteredDataset, rows: Iterable[NumberedRow], *, part: Part
) -> Iterator[RegisteredRow | LeftOutRow]:
    """Turn numbered rows of the source into texts and classes, each row that gives none named.

    Texts are never doubled in the training part of a classification set.

    Args:
        dataset: what the columns and labels mean.
        rows: row number and values by column; class labels as their names, numbers in ``label_ranges`` sets.
        part: which side is wanted, where ``test_share`` divides one split.
    """
    seen: set[str] = set()
    for number, values in _texts_of_one(dataset, rows):
        try:
            row = _row(dataset, number, values)
            _check_part(dataset, row, part)
            if part == "train" and not dataset.is_nli:
                if row.text in seen:
                    raise _PlannedError("the text has come before")
                seen.add(row.text)
        except _PlannedError as error:
            yield LeftOutRow(number, str(error), is_planned=True)
        except DataError as error:
            yield LeftOutRow(number, str(error))
        else:
            yield row


def _texts_of_one(dataset: RegisteredDataset, rows: Iterable[NumberedRow]) -> Iterator[NumberedRow]:
    if dataset.group_column is not None:
        return _grouped(dataset, dataset.group_column, rows)
    if dataset.average_labels_per_text:
        return _averaged(dataset, rows)
    return iter(rows)


def _grouped(dataset: RegisteredDataset, column: str, rows: Iterable[NumberedRow]) -> Iterator[NumberedRow]:
    for _, members in groupby(rows, key=lambda row: row[1].get(column)):
        group = list(members)
        number, first = group[0]
        joined = {
            name: "\n".join(dict.fromkeys(str(values.get(name) or "") for _, values in group))
            for name in dataset.text_columns
        }
        yield number, {**first, **joined}


def _averaged(dataset: RegisteredDataset, rows: Iterable[NumberedRow]) -> Iterator[NumberedRow]:
    first_rows: dict[str, NumberedRow] = {}
    votes: defaultdict[str, list[float]] = defaultdict(list)
    for number, values in rows:
        text = str(values.get(dataset.text_columns[0]))
        first_rows.setdefault(text, (number, values))
        vote = _number(values.get(dataset.label_column))
        # An annotator who gave no answer has no vote.
        if vote is not None:
            votes[text].append(vote)
    for text, (number, values) in first_rows.items():
        given = votes[text]
        yield number, {**values, dataset.label_column: sum(given) / len(given) if given else None}


def _row(dataset: RegisteredDataset, number: int, values: Mapping[str, Any]) -> RegisteredRow:
    texts = [_text(dataset, _value(values, column)) for column in dataset.text_columns]
    label = _class_name(dataset, _value(values, dataset.label_column))
    if dataset.is_nli:
        if not all(texts):
            raise DataError("the premise or the hypothesis is empty")
        return RegisteredRow(number, texts[0], label, texts[1])
    text = "\n".join(part for part in texts if part)
    if not text:
        raise DataError("the text is empty")
    shortest, longest = dataset.text_characters or (1, None)
    if len(text) < shortest or (longest is not None and len(text) > longest):
        raise _PlannedError(f"the text has fewer than {shortest} or more than {longest} characters")
    return RegisteredRow(number, text, label)


def _text(dataset: RegisteredDataset, value: Any) -> str:
    text = " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value or "")
    if dataset.unescape_html:
        text = html.unescape(text)
    for written, wanted in dataset.replacements.items():
        text = text.replace(written, wanted)
    return text.strip()


def _class_name(dataset: RegisteredDataset, value: Any) -> str:
    if isinstance(value, list | tuple):
        value = _unanimous(value)
    if dataset.label_ranges:
        return dataset.classes[_class_in_range(dataset, value)].name
    label = str(value)
    if label in dataset.classes:
        return dataset.classes[label].name
    if label in dataset.excluded_classes:
        raise _PlannedError(f"class {label!r} is excluded")
    if label == _NO_GOLD_LABEL:
        raise _PlannedError("the annotators agreed on no label")
    raise DataError(f"label {label!r} is not registered for {dataset.name}")


def _unanimous(votes: Sequence[Any]) -> Any:
    if not votes:
        raise DataError("there is no label")
    if any(vote != votes[0] for vote in votes):
        raise _PlannedError("the annotators disagree")
    return votes[0]


def _class_in_range(dataset: RegisteredDataset, value: Any) -> str:
    number = _number(value)
    if number is None:
        raise DataError(f"label {value!r} is not a number")
    for label, (low, high) in dataset.label_ranges.items():
        if low <= number <= high:
            return label
    raise _PlannedError("the label lies between the classes")


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _check_part(dataset: RegisteredDataset, row: RegisteredRow, part: Part) -> None:
    if dataset.test_share is None:
        return
    is_test = is_held_out(row.text, dataset.test_share)
    if is_test != (part == "test"):
        raise _PlannedError("held out for testing" if is_test else "kept for training")


def _value(values: Mapping[str, Any], column: str) -> Any:
    """Look up a column; ``a.b`` is field b of an object, or of each object of a list."""
    name, _, inner = column.partition(".")
    if name not in values:
        raise DataError(f"there is no column {name!r} but {', '.join(sorted(map(str, values)))}")
    value = values[name]
    if not inner:
        return value
    if isinstance(value, list | tuple):
        return [item.get(inner) for item in value]
    return value.get(inner)

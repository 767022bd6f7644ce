"""Rows of a registered dataset, read for training: from the hub, or from a file of the same columns."""

from __future__ import annotations

import logging
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from labelwise.errors import DataError, InputError
from labelwise.evaluation.registry import RegisteredDataset, find_dataset, read_registry
from labelwise.evaluation.registry_rows import LeftOutRow, NumberedRow, Part, RegisteredRow, registered_rows
from labelwise.files.row import BadRow as UnreadRow
from labelwise.files.row import Row
from labelwise.training.hub_rows import hub_rows
from labelwise.training.records import BadRow, LabelledText, Pair, ReadRows, file_rows
from labelwise.training.sources import Source

__all__ = ["read_registered_pairs", "read_registered_texts", "read_test_pairs"]

log = logging.getLogger("labelwise.training")

Item = TypeVar("Item")


def read_registered_pairs(source: Source, data_dir: Path) -> ReadRows[Pair]:
    """Read the training part of a registered NLI set.

    Raises:
        DataError: it cannot be read or has no usable row.
        InputError: a column is missing.
    """
    passage = _passage(source, data_dir)
    return passage.read([_pair(row) for row in passage])


def read_registered_texts(source: Source, data_dir: Path, *, seed: int) -> ReadRows[LabelledText]:
    """Read the training part of a registered classification set, capped per class while it is read.

    Raises:
        DataError: it cannot be read or has no usable row.
        InputError: a column is missing.
    """
    passage = _passage(source, data_dir)
    generator = random.Random(f"{seed}:{source.name}:reading")
    kept = _sampled_per_class(passage, source.max_texts_per_class, generator)
    return passage.read([LabelledText(row.text, (row.label,)) for row in kept])


def read_test_pairs(column: str) -> ReadRows[Pair]:
    """Read a test column of a registered NLI set from the hub, such as ``mnli_m``.

    Raises:
        InputError: no NLI set has this column.
        DataError: it cannot be read or has no usable row.
    """
    columns = {name: one for one in read_registry() if one.is_nli for name in one.test_splits}
    if column not in columns:
        raise InputError(f"validation is registry:{column}: use one of {', '.join(columns)}")
    dataset = columns[column]
    passage = _Passage(column, dataset, _from_hub(dataset, dataset.test_splits[column]), "test")
    return passage.read([_pair(row) for row in passage])


@dataclass(slots=True)
class _Passage:
    """One pass over rows that keeps account of those left out."""

    name: str
    dataset: RegisteredDataset
    rows: Iterable[Row | UnreadRow]
    part: Part
    bad_rows: list[BadRow] = field(default_factory=list)
    planned: Counter[str] = field(default_factory=Counter)

    def __iter__(self) -> Iterator[RegisteredRow]:
        for row in registered_rows(self.dataset, self._readable(), part=self.part):
            if isinstance(row, RegisteredRow):
                yield row
            elif row.is_planned:
                self.planned[row.reason] += 1
            else:
                self._leave_out(row)

    def read(self, items: list[Item]) -> ReadRows[Item]:
        """Return what was read, or raise if nothing was."""
        for reason, count in self.planned.most_common():
            log.info("%s leaves out %d rows by plan: %s", self.name, count, reason)
        if not items:
            first = f" (first: {self.bad_rows[0]})" if self.bad_rows else ""
            raise DataError(f"{self.name} has no usable row{first}: correct it, or leave it out")
        return ReadRows(tuple(items), tuple(self.bad_rows))

    def _readable(self) -> Iterator[NumberedRow]:
        for row in self.rows:
            if isinstance(row, Row):
                yield row.number, row.values
            else:
                self._leave_out(row)

    def _leave_out(self, row: LeftOutRow | UnreadRow) -> None:
        self.bad_rows.append(BadRow(self.name, row.number, row.reason))


def _passage(source: Source, data_dir: Path) -> _Passage:
    dataset = find_dataset(source.registry or "")
    if source.path is not None:
        return _Passage(source.name, dataset, file_rows(data_dir / source.path).rows, "train")
    hub_source = _from_hub(dataset, source.split, source)
    return _Passage(source.name, dataset, hub_source, "train")


def _from_hub(dataset: RegisteredDataset, split: str, source: Source | None = None) -> Iterator[Row]:
    if dataset.hub is None:
        raise DataError(f"{dataset.name} is not on the hub: {dataset.note}")
    place = source or dataset
    label_column = dataset.label_column.partition(".")[0]
    group = (dataset.group_column,) if dataset.group_column else ()
    return hub_rows(
        dataset.hub,
        split=split,
        config=place.config,
        data_dir=place.data_dir,
        revision=place.revision,
        columns=(*dataset.text_columns, label_column, *group),
        number_columns=(label_column,) if dataset.label_ranges else (),
    )


def _pair(row: RegisteredRow) -> Pair:
    return Pair(row.text, row.hypothesis or "", row.label)


def _sampled_per_class(
    rows: Iterable[RegisteredRow], maximum: int | None, generator: random.Random
) -> list[RegisteredRow]:
    """Keep at most `maximum` rows of each class, each as likely as any other, in flat memory (reservoirs)."""
    kept: dict[str, list[RegisteredRow]] = defaultdict(list)
    seen: Counter[str] = Counter()
    for row in rows:
        reservoir = kept[row.label]
        seen[row.label] += 1
        if maximum is None or len(reservoir) < maximum:
            reservoir.append(row)
            continue
        place = generator.randrange(seen[row.label])
        if place < maximum:
            reservoir[place] = row
    return sorted((row for reservoir in kept.values() for row in reservoir), key=lambda row: row.number)

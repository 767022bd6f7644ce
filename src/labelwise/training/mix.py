"""The training mix: every source of a recipe read and recast, with its bad rows named."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from labelwise.errors import DataError
from labelwise.training.hub_rows import hub_rows
from labelwise.training.recast import pairs_from_pairs, pairs_from_passages, pairs_from_texts
from labelwise.training.recipe import NliRecipe
from labelwise.training.records import (
    BadRow,
    LabelledText,
    Layout,
    NumberedRows,
    Pair,
    ReadRows,
    read_labelled_texts,
    read_pairs,
    read_passages,
)
from labelwise.training.registered import read_registered_pairs, read_registered_texts, read_test_pairs
from labelwise.training.sources import Source

__all__ = ["training_pairs", "validation_pairs"]

log = logging.getLogger("labelwise.training")

Row = TypeVar("Row")

SHOWN_BAD_ROWS = 5
_REGISTRY_MARK = "registry:"


def training_pairs(recipe: NliRecipe, data_dir: Path) -> tuple[list[Pair], dict[str, int]]:
    """Return all pairs in recipe order, and how many each source that was read gave.

    Raises:
        DataError: a source that is not optional cannot be read or has no usable row, or none gives a pair.
        InputError: a source lacks a column that the recipe names.
    """
    pairs: list[Pair] = []
    counts: Counter[str] = Counter()
    for source in recipe.sources:
        try:
            found = _source_pairs(source, data_dir, recipe.seed)
        except DataError as error:
            if not source.is_optional:
                raise
            log.warning("left out optional source %s: %s", source.name, error)
            continue
        log.info("%7d pairs from %s %s", len(found), source.name, dict(Counter(pair.label for pair in found)))
        counts[source.name] += len(found)
        pairs += found
    if not pairs:
        raise DataError(f"no source of {recipe.name} gives a pair: look at the warnings before this")
    return pairs, dict(counts)


def validation_pairs(recipe: NliRecipe, data_dir: Path) -> list[Pair]:
    """Return every usable row of what the recipe validates on.

    Raises:
        DataError: it cannot be read or has no usable row.
    """
    if recipe.validation.startswith(_REGISTRY_MARK):
        return list(_usable(read_test_pairs(recipe.validation.removeprefix(_REGISTRY_MARK))))
    return list(_usable(read_pairs(data_dir / recipe.validation)))


def _source_pairs(source: Source, data_dir: Path, seed: int) -> list[Pair]:
    if source.kind == "pairs":
        return pairs_from_pairs(_usable(_pairs(source, data_dir)), source, seed=seed)
    if source.kind == "passages":
        passages = read_passages(_place(source, data_dir), layout=_layout(source))
        return pairs_from_passages(_usable(passages), source, seed=seed)
    return pairs_from_texts(_usable(_texts(source, data_dir, seed)), source, seed=seed)


def _pairs(source: Source, data_dir: Path) -> ReadRows[Pair]:
    if source.registry is not None:
        return read_registered_pairs(source, data_dir)
    return read_pairs(_place(source, data_dir), layout=_layout(source))


def _texts(source: Source, data_dir: Path, seed: int) -> ReadRows[LabelledText]:
    if source.registry is not None:
        return read_registered_texts(source, data_dir, seed=seed)
    return read_labelled_texts(_place(source, data_dir), layout=_layout(source))


def _layout(source: Source) -> Layout:
    return Layout(source.columns, source.label_names)


def _place(source: Source, data_dir: Path) -> Path | NumberedRows:
    if source.hub is None:
        return data_dir / str(source.path)
    rows = hub_rows(
        source.hub,
        split=source.split,
        config=source.config,
        data_dir=source.data_dir,
        revision=source.revision,
        columns=tuple(source.columns.values()),
    )
    return NumberedRows(source.name, rows)


def _usable(read: ReadRows[Row]) -> tuple[Row, ...]:
    _name_bad_rows(read.bad_rows)
    return read.rows


def _name_bad_rows(bad_rows: Sequence[BadRow]) -> None:
    for row in bad_rows[:SHOWN_BAD_ROWS]:
        log.warning("left out %s", row)
    if len(bad_rows) > SHOWN_BAD_ROWS:
        log.warning("left out %d rows of %s in all", len(bad_rows), bad_rows[0].file)

"""The training mix: every source of a recipe read and recast, with its bad rows named."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from labelwise.training.recast import pairs_from_pairs, pairs_from_passages, pairs_from_texts
from labelwise.training.recipe import NliRecipe, Source
from labelwise.training.records import BadRow, Pair, read_labelled_texts, read_pairs, read_passages

__all__ = ["training_pairs", "validation_pairs"]

log = logging.getLogger("labelwise.training")

SHOWN_BAD_ROWS = 5


def training_pairs(recipe: NliRecipe, data_dir: Path) -> tuple[list[Pair], dict[str, int]]:
    """Return all pairs in recipe order, and how many each source gave.

    Raises:
        DataError: a file is missing or has no usable row.
    """
    pairs: list[Pair] = []
    counts: dict[str, int] = {}
    for source in recipe.sources:
        found = _source_pairs(source, data_dir, recipe.seed)
        log.info("%7d pairs from %s %s", len(found), source.path, dict(Counter(pair.label for pair in found)))
        counts[source.path] = len(found)
        pairs += found
    return pairs, counts


def validation_pairs(recipe: NliRecipe, data_dir: Path) -> list[Pair]:
    """Return every usable row of the recipe's validation file.

    Raises:
        DataError: the file is missing or has no usable row.
    """
    read = read_pairs(data_dir / recipe.validation)
    _name_bad_rows(read.bad_rows)
    return list(read.rows)


def _source_pairs(source: Source, data_dir: Path, seed: int) -> list[Pair]:
    path = data_dir / source.path
    if source.kind == "pairs":
        pairs = read_pairs(path)
        _name_bad_rows(pairs.bad_rows)
        return pairs_from_pairs(pairs.rows, source, seed=seed)
    if source.kind == "passages":
        passages = read_passages(path)
        _name_bad_rows(passages.bad_rows)
        return pairs_from_passages(passages.rows, source, seed=seed)
    texts = read_labelled_texts(path)
    _name_bad_rows(texts.bad_rows)
    return pairs_from_texts(texts.rows, source, seed=seed)


def _name_bad_rows(bad_rows: Sequence[BadRow]) -> None:
    for row in bad_rows[:SHOWN_BAD_ROWS]:
        log.warning("left out %s", row)
    if len(bad_rows) > SHOWN_BAD_ROWS:
        log.warning("left out %d rows of %s in all", len(bad_rows), bad_rows[0].file)

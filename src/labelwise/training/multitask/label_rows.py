"""Texts with what is known of their labels, from every kind of source."""

from __future__ import annotations

import logging
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from labelwise.errors import DataError
from labelwise.training.multitask.recipe import LabelSource
from labelwise.training.records import (
    BadRow,
    LabelledText,
    Pair,
    read_labelled_texts,
    read_pairs,
    read_passages,
)

__all__ = ["SourceRows", "read_source"]

log = logging.getLogger("labelwise.training")
_NAMED_ROWS = 5


@dataclass(frozen=True, slots=True)
class SourceRows:
    """The rows of one source.

    Attributes:
        source: how they are shown.
        rows: texts with true labels and known false ones.
        label_set: the closed set; empty where the rows name their own false labels.
    """

    source: LabelSource
    rows: tuple[LabelledText, ...]
    label_set: tuple[str, ...]


def read_source(source: LabelSource, data_dir: Path, *, seed: int) -> SourceRows:
    """Read a source and draw at most ``max_rows`` of it.

    Raises:
        DataError: the file is missing or has no usable row.
    """
    path = data_dir / source.path
    label_set: tuple[str, ...] = ()
    if source.kind == "pairs":
        pairs = read_pairs(path)
        _name_bad_rows(pairs.bad_rows)
        rows = _by_premise(pairs.rows)
    elif source.kind == "passages":
        passages = read_passages(path)
        _name_bad_rows(passages.bad_rows)
        rows = [
            LabelledText(passage.text, passage.entailed, (*passage.neutral, *passage.contradicted))
            for passage in passages.rows
            if passage.entailed or passage.neutral or passage.contradicted
        ]
    else:
        texts = read_labelled_texts(path)
        _name_bad_rows(texts.bad_rows)
        kept = set(source.kept_labels)
        named = [_renamed(row, source) for row in texts.rows]
        rows = [row for row in named if not kept or set(row.labels) <= kept]
        if source.kind == "texts":
            label_set = tuple(sorted({label for row in rows for label in row.labels}))
    if not rows:
        raise DataError(f"{path} has no row left: change kept_labels or the file")
    drawn = _drawn(rows, source, random.Random(f"rows:{seed}:{source.path}"))
    log.info("%7d texts from %s", len(drawn), source.path)
    return SourceRows(source, tuple(drawn), label_set)


def _by_premise(pairs: Iterable[Pair]) -> list[LabelledText]:
    true: dict[str, list[str]] = defaultdict(list)
    false: dict[str, list[str]] = defaultdict(list)
    for pair in pairs:
        (true if pair.label == "entailment" else false)[pair.premise].append(pair.hypothesis)
    rows = []
    for premise in dict.fromkeys([*true, *false]):
        known = dict.fromkeys(true[premise])
        rows.append(
            LabelledText(
                premise, tuple(known), tuple(label for label in false[premise] if label not in known)
            )
        )
    return rows


def _renamed(row: LabelledText, source: LabelSource) -> LabelledText:
    if source.cut_labels_at is None and not source.renames:
        return row
    true = tuple(dict.fromkeys(_name(label, source) for label in row.labels))
    false = dict.fromkeys(_name(label, source) for label in row.not_labels)
    return LabelledText(row.text, true, tuple(label for label in false if label not in true))


def _name(label: str, source: LabelSource) -> str:
    part = label if source.cut_labels_at is None else label.split(source.cut_labels_at)[0]
    return source.renames.get(part, part)


def _drawn(
    rows: Sequence[LabelledText], source: LabelSource, generator: random.Random
) -> Sequence[LabelledText]:
    """Draw rows class by class in turn, so that rare classes are not crowded out."""
    if source.max_rows is None or len(rows) <= source.max_rows:
        return rows
    if source.kind != "texts":
        return generator.sample(list(rows), source.max_rows)
    by_class: dict[str, list[LabelledText]] = defaultdict(list)
    for row in generator.sample(list(rows), len(rows)):
        by_class[row.labels[0]].append(row)
    waiting = sorted(by_class)
    drawn: list[LabelledText] = []
    while len(drawn) < source.max_rows:
        waiting = [name for name in waiting if by_class[name]]
        drawn += [by_class[name].pop() for name in waiting[: source.max_rows - len(drawn)]]
    return drawn


def _name_bad_rows(bad_rows: Sequence[BadRow]) -> None:
    for row in bad_rows[:_NAMED_ROWS]:
        log.warning("left out %s", row)
    if len(bad_rows) > _NAMED_ROWS:
        log.warning("left out %d rows of %s in all", len(bad_rows), bad_rows[0].file)

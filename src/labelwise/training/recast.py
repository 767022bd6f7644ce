"""Rows of any kind recast as premise / hypothesis pairs: pure, seeded, and the same on every machine."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeVar

from labelwise.errors import DataError
from labelwise.training.recipe import Source
from labelwise.training.records import LabelledText, Pair, Passage

__all__ = ["pairs_from_pairs", "pairs_from_passages", "pairs_from_texts"]

Item = TypeVar("Item")


def pairs_from_pairs(rows: Sequence[Pair], source: Source, *, seed: int) -> list[Pair]:
    """Return the rows, cut to ``max_rows`` at random, ``repeats`` times over."""
    kept = _capped(rows, source.max_rows, _generator(source, seed))
    return kept * source.repeats


def pairs_from_passages(rows: Sequence[Passage], source: Source, *, seed: int) -> list[Pair]:
    """Return one pair per statement of each passage."""
    generator = _generator(source, seed)
    pairs = [
        Pair(row.text, statement, label)
        for row in _capped(rows, source.max_rows, generator)
        for label, statements in (
            ("entailment", row.entailed),
            ("neutral", row.neutral),
            ("contradiction", row.contradicted),
        )
        for statement in statements
    ]
    return pairs * source.repeats


def pairs_from_texts(rows: Sequence[LabelledText], source: Source, *, seed: int) -> list[Pair]:
    """Return pairs of each text with true labels (entailment) and false ones (not_entailment).

    Labels are put into ``source.wording`` and then into a template drawn per text, so that the template tells
    nothing about the answer. Classes that share a wording are never negatives of one another.

    Raises:
        DataError: nothing is left after the exclusions.
    """
    generator = _generator(source, seed)
    worded = [row for row in (_worded(row, source) for row in rows) if row is not None]
    if not worded:
        raise DataError(f"{source.path} has no row left after excluded_labels: exclude fewer")
    names = sorted({label for row in worded for label in row.labels})
    kept = _capped(
        _capped_per_class(worded, source.max_texts_per_class, generator), source.max_rows, generator
    )
    pairs: list[Pair] = []
    for _ in range(source.repeats):
        if source.negatives == "labels":
            pairs += _with_other_labels(kept, names, source, generator)
        else:
            pairs += _with_other_texts(kept, names, source, generator)
    return pairs


def _with_other_labels(
    rows: Iterable[LabelledText], names: Sequence[str], source: Source, generator: random.Random
) -> list[Pair]:
    pairs = []
    for row in rows:
        template = generator.choice(source.templates)
        negatives = row.not_labels or [name for name in names if name not in row.labels]
        drawn = [
            ("entailment", _capped(row.labels, source.positives_per_text, generator)),
            ("not_entailment", _capped(negatives, source.negatives_per_text, generator)),
        ]
        pairs += [
            Pair(row.text, template.replace("{}", name), label) for label, chosen in drawn for name in chosen
        ]
    return pairs


def _with_other_texts(
    rows: Sequence[LabelledText], names: Sequence[str], source: Source, generator: random.Random
) -> list[Pair]:
    pairs = []
    for name in names:
        true = [row for row in rows if name in row.labels]
        false = _capped([row for row in rows if name not in row.labels], len(true), generator)
        for label, texts in (("entailment", true), ("not_entailment", false)):
            pairs += [
                Pair(row.text, generator.choice(source.templates).replace("{}", name), label) for row in texts
            ]
    return pairs


def _worded(row: LabelledText, source: Source) -> LabelledText | None:
    labels, not_labels = (
        tuple(
            dict.fromkeys(
                source.wording.get(name, name) for name in names if name not in source.excluded_labels
            )
        )
        for names in (row.labels, row.not_labels)
    )
    if not labels and not not_labels:
        return None
    return LabelledText(row.text, labels, tuple(name for name in not_labels if name not in labels))


def _capped_per_class(
    rows: Sequence[LabelledText], maximum: int | None, generator: random.Random
) -> Sequence[LabelledText]:
    if maximum is None:
        return rows
    by_class: dict[str, list[LabelledText]] = defaultdict(list)
    for row in rows:
        by_class[row.labels[0] if row.labels else ""].append(row)
    return [row for _, members in sorted(by_class.items()) for row in _capped(members, maximum, generator)]


def _capped(items: Sequence[Item], maximum: int | None, generator: random.Random) -> list[Item]:
    if maximum is None or len(items) <= maximum:
        return list(items)
    return generator.sample(list(items), maximum)


def _generator(source: Source, seed: int) -> random.Random:
    # Seeded by the path as well, so that adding a source does not change what the others draw.
    return random.Random(f"{seed}:{source.path}")

"""Rows of any kind recast as premise / hypothesis pairs: pure, seeded, and the same on every machine."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeVar

from labelwise.errors import DataError
from labelwise.training.hard_negatives import SimilarLabels
from labelwise.training.records import LabelledText, Pair, Passage
from labelwise.training.sources import Source

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

    Labels are put into ``source.wording`` and then into a template drawn at random, so that the template
    tells nothing about the answer. What is true of a text in any row is never false of it in another, and
    classes that share a wording are never negatives of one another.

    Raises:
        DataError: nothing is left after the exclusions, or ``similar_labels`` names a label that no row has.
    """
    generator = _generator(source, seed)
    worded = [row for row in (_worded(row, source) for row in rows) if row is not None]
    if not worded:
        raise DataError(f"{source.name} has no row left after excluded_labels: exclude fewer")
    kept = _capped(
        _capped_per_class(worded, source.max_texts_per_class, generator), source.max_rows, generator
    )
    draw = _Draw(worded, source, generator)
    pairs: list[Pair] = []
    for _ in range(source.repeats):
        pairs += draw.other_labels(kept) if source.negatives == "labels" else draw.other_texts(kept)
    return pairs


class _Draw:
    """Draws true and false labels for texts."""

    def __init__(self, rows: Sequence[LabelledText], source: Source, generator: random.Random) -> None:
        self._source = source
        self._generator = generator
        self._names = sorted({label for row in rows for label in row.labels})
        self._true: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            self._true[row.text].update(row.labels)
        self._similar = self._similar_labels() if source.hard_negatives_per_text else None

    def other_labels(self, rows: Iterable[LabelledText]) -> list[Pair]:
        """Pair each text with labels of its own and labels that it does not have."""
        pairs = []
        for row in rows:
            template = self._generator.choice(self._source.templates)
            true = _capped(row.labels, self._source.positives_per_text, self._generator)
            hard = self._hard_negatives(row)
            others = [name for name in row.not_labels or self._names if name not in self._true[row.text]]
            if hard:
                others = [name for name in others if name not in hard]
            false = hard + _capped(others, self._source.negatives_per_text, self._generator)
            drawn = [(name, "entailment") for name in true] + [(name, "not_entailment") for name in false]
            pairs += [Pair(row.text, template.replace("{}", name), label) for name, label in drawn]
        return pairs

    def other_texts(self, rows: Sequence[LabelledText]) -> list[Pair]:
        """Pair each label with all of its texts and, as far as there are, as many others."""
        pairs = []
        drawn: set[tuple[str, str]] = set()
        for name in self._names:
            true = [row for row in rows if name in row.labels]
            others = [row for row in rows if name not in self._true[row.text]]
            false = _capped(others, len(true), self._generator)
            drawn.update((row.text, name) for row in false)
            for label, texts in (("entailment", true), ("not_entailment", false)):
                pairs += [self._pair(row.text, name, label) for row in texts]
        for row in rows:
            for name in self._hard_negatives(row):
                if (row.text, name) not in drawn:
                    pairs.append(self._pair(row.text, name, "not_entailment"))
        return pairs

    def _pair(self, text: str, name: str, label: str) -> Pair:
        return Pair(text, self._generator.choice(self._source.templates).replace("{}", name), label)

    def _hard_negatives(self, row: LabelledText) -> list[str]:
        if self._similar is None:
            return []
        alike = dict.fromkeys(name for label in row.labels for name in self._similar.of(label))
        true = self._true[row.text]
        return [name for name in alike if name not in true][: self._source.hard_negatives_per_text]

    def _similar_labels(self) -> SimilarLabels:
        wording = self._source.wording
        listed = {
            wording.get(name, name): [wording.get(other, other) for other in others]
            for name, others in self._source.similar_labels.items()
        }
        return SimilarLabels(self._names, listed=listed)


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
    # Seeded by the name as well, so that adding a source does not change what the others draw.
    return random.Random(f"{seed}:{source.name}")

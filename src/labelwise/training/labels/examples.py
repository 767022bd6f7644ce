"""Which labels a text is shown with, in which order: drawn anew each epoch, fixed for evaluation."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from labelwise.synthesis.rows import label_key
from labelwise.training.labels.recipe import ExampleSettings
from labelwise.training.records import LabelledText

__all__ = ["Example", "draw_example", "evaluation_example", "label_pool"]

_TRIES_PER_NEGATIVE = 20


@dataclass(frozen=True, slots=True)
class Example:
    """A text, its labels in the order of the row, and which of them are true."""

    text: str
    labels: tuple[str, ...]
    is_true: tuple[bool, ...]


def label_pool(rows: Sequence[LabelledText]) -> tuple[str, ...]:
    """Return the true labels of all rows, each as often as it occurs: frequent ones are drawn more often."""
    return tuple(label for row in rows for label in row.labels)


def draw_example(
    row: LabelledText, pool: Sequence[str], *, settings: ExampleSettings, seed: int, epoch: int, number: int
) -> Example:
    """Draw a training example; the same seed, epoch and row number give the same example.

    The row's ``not_labels`` are its hard negatives. Labels drawn from the pool count as false though nobody
    judged them, unless the row names them.

    Args:
        row: the text and its labels.
        pool: labels of all texts.
        settings: how many labels, and of which kind.
        seed: of the run.
        epoch: from 0.
        number: of the row.
    """
    generator = random.Random(f"labels:{seed}:{epoch}:{number}")
    sampled = _sampled_negatives(row, pool, settings.sampled_negatives, generator)
    judged = [(label, True) for label in row.labels]
    judged += [(label, False) for label in (*row.not_labels, *sampled)]
    generator.shuffle(judged)
    # Its own generator: whether underscores are replaced must not change which labels are drawn.
    replaces = random.Random(f"underscores:{seed}:{epoch}:{number}").random() < settings.space_for_underscore
    kept = judged[: settings.max_labels]
    return Example(
        row.text,
        labels=tuple(label.replace("_", " ") if replaces else label for label, _ in kept),
        is_true=tuple(is_true for _, is_true in kept),
    )


def evaluation_example(row: LabelledText, *, settings: ExampleSettings) -> Example:
    """Return the row's own labels in alphabetical order, which tells nothing about their truth."""
    judged = sorted([(label, True) for label in row.labels] + [(label, False) for label in row.not_labels])
    kept = judged[: settings.max_labels]
    return Example(row.text, tuple(label for label, _ in kept), tuple(is_true for _, is_true in kept))


def _sampled_negatives(
    row: LabelledText, pool: Sequence[str], count: int, generator: random.Random
) -> list[str]:
    taken = {label_key(label) for label in (*row.labels, *row.not_labels)}
    drawn: list[str] = []
    # Bounded, since a pool may hold nothing but the row's own labels.
    for _ in range(count * _TRIES_PER_NEGATIVE if pool else 0):
        if len(drawn) == count:
            break
        label = generator.choice(pool)
        if label_key(label) not in taken:
            taken.add(label_key(label))
            drawn.append(label)
    return drawn

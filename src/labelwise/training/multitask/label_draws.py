"""Which labels stand beside a text, and in which words: drawn anew each time a text comes up."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from labelwise.synthesis.rows import label_key
from labelwise.training.multitask.label_rows import SourceRows
from labelwise.training.multitask.recipe import LabelSource
from labelwise.training.records import LabelledText

__all__ = ["LabelDraw", "draw_labels"]

# Label sets up to this size are mostly shown whole, as their users would.
_SMALL_SET = 8
_WHOLE_SET_SHARE = 0.8
_LARGE_DRAW_SHARE = 0.1
_WITHOUT_TRUE_SHARE = 0.05
_MOST_FOREIGN = 3
_REWORDED_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class LabelDraw:
    """The labels of one row in words, and which of them are true."""

    labels: tuple[str, ...]
    is_true: tuple[bool, ...]


def draw_labels(
    found: SourceRows, row: LabelledText, foreign: Sequence[str], generator: random.Random
) -> LabelDraw:
    """Draw the labels of one row.

    Labels of other sources count as false though nobody judged them; a few draws have no true label at all,
    so that "none of these" is learnt.

    Args:
        found: the row's source.
        row: the text and its labels.
        foreign: labels of all sources.
        generator: decides; the same state gives the same draw.
    """
    source = found.source
    false = _false_labels(found, row, generator)
    strangers = _strangers(found, row, foreign, generator)
    true = list(row.labels)
    if (false or strangers) and generator.random() < _WITHOUT_TRUE_SHARE:
        true = []
    if len(true) > 1 and generator.random() < 0.3:
        true = generator.sample(true, generator.randint(1, len(true)))
    judged = [(label, True) for label in true]
    judged += [(label, False) for label in false[: source.max_labels - len(judged)]]
    say = _wording(source, generator)
    labels = [(say(label), is_true) for label, is_true in judged] + [(label, False) for label in strangers]
    generator.shuffle(labels)
    distinct = dict(reversed(labels[: max(source.max_labels, len(true) + 1)]))
    return LabelDraw(tuple(distinct), tuple(distinct.values()))


def _false_labels(found: SourceRows, row: LabelledText, generator: random.Random) -> list[str]:
    true = set(row.labels)
    others = [label for label in found.label_set if label not in true] or list(row.not_labels)
    generator.shuffle(others)
    if found.label_set and len(found.label_set) <= _SMALL_SET:
        keeps_all = generator.random() < _WHOLE_SET_SHARE
        return others if keeps_all else others[: generator.randint(1, max(1, len(others)))]
    if not found.label_set:
        return others
    is_large = generator.random() < _LARGE_DRAW_SHARE
    return others[: generator.randint(13, 60) if is_large else generator.randint(3, 12)]


def _strangers(
    found: SourceRows, row: LabelledText, foreign: Sequence[str], generator: random.Random
) -> list[str]:
    if not foreign or generator.random() >= found.source.foreign_share:
        return []
    taken = {label_key(label) for label in (*row.labels, *row.not_labels, *found.label_set)}
    drawn = [generator.choice(foreign) for _ in range(generator.randint(1, _MOST_FOREIGN))]
    return [label for label in dict.fromkeys(drawn) if label_key(label) not in taken]


class _wording:  # noqa: N801 - reads as the verb it is
    """One way of saying all labels of a draw: plain or reworded, bare or in a sentence."""

    def __init__(self, source: LabelSource, generator: random.Random) -> None:
        most = max(map(len, source.wordings.values()), default=0)
        is_reworded = bool(most) and generator.random() < _REWORDED_SHARE
        self._way = generator.randrange(most) if is_reworded else None
        is_templated = bool(source.templates) and generator.random() < source.template_share
        self._template = generator.choice(source.templates) if is_templated else None
        self._wordings = source.wordings

    def __call__(self, label: str) -> str:
        ways = self._wordings.get(label, ())
        said = ways[self._way % len(ways)] if self._way is not None and ways else label
        return said if self._template is None else self._template.replace("{}", said)

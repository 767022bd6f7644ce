"""What the layouts of joint models have in common, and how a label set is split over several rows."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import InputError
from labelwise.text.sequence import TokenSequence

__all__ = ["JointLayout", "split_labels"]

Ids = NDArray[np.int64]


class JointLayout(Protocol):
    """Puts one text and some labels into one row.

    A row takes ``num_fixed_tokens``, the text's tokens, and for each label its own tokens and one more.
    """

    @property
    def max_tokens(self) -> int:
        """The most tokens in a row, control tokens included."""
        ...

    @property
    def max_labels(self) -> int:
        """The most labels in a row."""
        ...

    @property
    def min_text_tokens(self) -> int:
        """The least room that a row must leave for the text."""
        ...

    @property
    def num_fixed_tokens(self) -> int:
        """Control tokens of every row, whatever the number of labels."""
        ...

    def assemble(self, text_ids: Ids, label_ids: Sequence[Ids]) -> TokenSequence:
        """Join the ids of a text and of its labels into one row."""
        ...


def split_labels(costs: Sequence[int], *, max_labels: int, budget: int) -> list[range]:
    """Split labels into runs that fit a row each, in order: of nearly equal number where tokens allow it.

    Args:
        costs: tokens that each label takes in a row.
        max_labels: the most labels in a row.
        budget: the most tokens that the labels of a row should take together. A label that takes more by
            itself gets a row of its own.

    >>> split_labels([3, 3, 3, 3, 3], max_labels=4, budget=100)
    [range(0, 3), range(3, 5)]
    """
    if max_labels < 1:
        raise InputError(f"max_labels must be at least 1, got {max_labels}")
    num_labels = len(costs)
    num_runs = max(1, -(-num_labels // max_labels))
    bounds = [-(-number * num_labels // num_runs) for number in range(num_runs + 1)]
    return [run for start, end in itertools.pairwise(bounds) for run in _filled(costs, start, end, budget)]


def _filled(costs: Sequence[int], start: int, end: int, budget: int) -> Iterator[range]:
    """Cut a run where its labels pass the budget."""
    taken = 0
    for place in range(start, end):
        if taken and taken + costs[place] > budget:
            yield range(start, place)
            start, taken = place, 0
        taken += costs[place]
    yield range(start, end)

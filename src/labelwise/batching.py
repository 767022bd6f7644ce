"""Batch plans by token budget: lengths in, batches of positions out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import InputError

__all__ = ["DEFAULT_BATCH_TOKENS", "plan_batches"]

# Measured on 2 cores with a 22 M-parameter encoder: larger batches gain nothing and cost memory.
DEFAULT_BATCH_TOKENS = 2048


def plan_batches(
    lengths: Sequence[int], *, max_tokens: int = DEFAULT_BATCH_TOKENS
) -> list[NDArray[np.int64]]:
    """Group rows so that each batch, padded to its longest row, holds at most ``max_tokens`` tokens.

    Rows are sorted by length so that a batch needs little padding. A row that is longer than the
    budget gets a batch of its own. Every position appears exactly once.

    >>> [batch.tolist() for batch in plan_batches([12, 90, 14], max_tokens=128)]
    [[0, 2], [1]]
    """
    if max_tokens < 1:
        raise InputError(f"batch_tokens must be at least 1, got {max_tokens}")
    order = np.argsort(np.asarray(lengths, dtype=np.int64), kind="stable")
    batches: list[NDArray[np.int64]] = []
    first = 0
    for place, row in enumerate(order):
        # Sorted ascending, so the row at hand is the longest of its batch.
        if place > first and (place - first + 1) * lengths[row] > max_tokens:
            batches.append(order[first:place])
            first = place
    if first < len(order):
        batches.append(order[first:])
    return batches

"""Opened tiny checkpoints, and rows of ids for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from labelwise.checkpoints import Checkpoint, open_checkpoint
from labelwise.text.sequence import TokenSequence


@pytest.fixture
def tiny(save_tiny: Callable[..., Path]) -> Callable[..., Checkpoint]:
    return lambda family, **settings: open_checkpoint(save_tiny(family, **settings))


def make_rows(lengths: tuple[int, ...], *, last: int = 2, types: bool = False) -> list[TokenSequence]:
    random = np.random.default_rng(sum(lengths))
    rows = []
    for length in lengths:
        ids = random.integers(5, 90, length)
        ids[-1] = last
        rows.append(
            TokenSequence(
                ids, token_types=(np.arange(length) > length // 2).astype(np.int64) if types else None
            )
        )
    return rows


@pytest.fixture
def rows() -> Callable[..., list[TokenSequence]]:
    return make_rows

"""Rows of the three tasks as padded tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from labelwise.models.losses import IGNORED
from labelwise.text.sequence import TokenSequence

__all__ = ["Batch", "label_batch", "pad_rows"]

Batch = dict[str, Any]


def pad_rows(rows: Sequence[TokenSequence], *, pad_token_id: int) -> Batch:
    """Return ids, types, segments and positions of shape (rows, longest); padding has segment -1."""
    shape = (len(rows), max(map(len, rows)))
    ids = np.full(shape, pad_token_id, dtype=np.int64)
    types, positions = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    segments = np.full(shape, -1, dtype=np.int64)
    for at, row in enumerate(rows):
        own = slice(0, len(row))
        ids[at, own] = row.ids
        types[at, own] = 0 if row.token_types is None else row.token_types
        segments[at, own] = 0 if row.segment_ids is None else row.segment_ids
        positions[at, own] = np.arange(len(row)) if row.position_ids is None else row.position_ids
    return {
        "input_ids": torch.from_numpy(ids),
        "token_type_ids": torch.from_numpy(types),
        "segment_ids": torch.from_numpy(segments),
        "position_ids": torch.from_numpy(positions),
    }


def label_batch(
    rows: Sequence[TokenSequence], truths: Sequence[Sequence[bool]], *, pad_token_id: int
) -> Batch:
    """Return rows with ``label_positions`` and ``targets`` (0, 1 or -100), shape (rows, most labels)."""
    most = max(map(len, truths))
    positions = np.full((len(rows), most), -1, dtype=np.int64)
    targets = np.full((len(rows), most), IGNORED, dtype=np.int64)
    for at, (row, truth) in enumerate(zip(rows, truths, strict=True)):
        positions[at, : len(truth)] = _positions(row)
        targets[at, : len(truth)] = np.array(truth, dtype=np.int64)
    return {
        **pad_rows(rows, pad_token_id=pad_token_id),
        "label_positions": torch.from_numpy(positions),
        "targets": torch.from_numpy(targets),
    }


def _positions(row: TokenSequence) -> NDArray[np.int64]:
    assert row.label_positions is not None
    return row.label_positions

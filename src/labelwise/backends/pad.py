"""Rows of different lengths -> the rectangular arrays that a network takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelwise.text.sequence import TokenSequence

__all__ = ["PaddedBatch", "pad"]


@dataclass(frozen=True, slots=True)
class PaddedBatch:
    """One batch; padding stands on the right, with mask 0, type 0, segment -1 and label position -1.

    Each array has the shape (rows, longest), but ``label_positions`` (rows, most labels, at least 1).
    """

    input_ids: NDArray[np.int64]
    attention_mask: NDArray[np.int64]
    token_type_ids: NDArray[np.int64]
    label_positions: NDArray[np.int64]
    text_mask: NDArray[np.int64]
    segment_ids: NDArray[np.int64]
    position_ids: NDArray[np.int64]

    def array(self, name: str) -> NDArray[np.int64]:
        """Return the array that a network's input of this name takes."""
        array: NDArray[np.int64] = getattr(self, name)
        return array


def pad(sequences: Sequence[TokenSequence], *, pad_token_id: int) -> PaddedBatch:
    """Pad rows on the right to the longest of them.

    Example:
        >>> import numpy as np
        >>> rows = [TokenSequence(ids=np.array([1, 7, 2])), TokenSequence(ids=np.array([1, 2]))]
        >>> pad(rows, pad_token_id=0).input_ids.tolist()
        [[1, 7, 2], [1, 2, 0]]
    """
    shape = (len(sequences), max((len(row.ids) for row in sequences), default=0))
    ids = np.full(shape, pad_token_id, dtype=np.int64)
    mask = np.zeros(shape, dtype=np.int64)
    types = np.zeros(shape, dtype=np.int64)
    text = np.zeros(shape, dtype=np.int64)
    segments = np.full(shape, -1, dtype=np.int64)
    positions = np.zeros(shape, dtype=np.int64)
    for row, sequence in enumerate(sequences):
        length = len(sequence.ids)
        ids[row, :length] = sequence.ids
        mask[row, :length] = 1
        if sequence.token_types is not None:
            types[row, :length] = sequence.token_types
        if sequence.text_mask is not None:
            text[row, :length] = sequence.text_mask
        segments[row, :length] = 0 if sequence.segment_ids is None else sequence.segment_ids
        positions[row, :length] = (
            np.arange(length) if sequence.position_ids is None else sequence.position_ids
        )
    return PaddedBatch(ids, mask, types, _label_positions(sequences), text, segments, positions)


def _label_positions(sequences: Sequence[TokenSequence]) -> NDArray[np.int64]:
    rows = [() if row.label_positions is None else row.label_positions for row in sequences]
    positions = np.full((len(rows), max(map(len, rows), default=1) or 1), -1, dtype=np.int64)
    for place, row in enumerate(rows):
        positions[place, : len(row)] = row
    return positions

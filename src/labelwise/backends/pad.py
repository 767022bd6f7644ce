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
    """One batch, each array of shape (rows, longest); padding stands on the right, with mask 0 and type 0."""

    input_ids: NDArray[np.int64]
    attention_mask: NDArray[np.int64]
    token_type_ids: NDArray[np.int64]

    def array(self, name: str) -> NDArray[np.int64]:
        """Return the array that a network's input of this name takes."""
        return {
            "input_ids": self.input_ids,
            "attention_mask": self.attention_mask,
            "token_type_ids": self.token_type_ids,
        }[name]


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
    for row, sequence in enumerate(sequences):
        length = len(sequence.ids)
        ids[row, :length] = sequence.ids
        mask[row, :length] = 1
        if sequence.token_types is not None:
            types[row, :length] = sequence.token_types
    return PaddedBatch(ids, mask, types)

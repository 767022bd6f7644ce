"""What one row asks of an encoder: which tokens see which, and which last states the head reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from labelwise.text.sequence import TokenSequence

__all__ = ["RowDemand"]

# Outputs that one token's last state gives, by head; the others read more.
_FROM_FIRST_TOKEN: Final = {("sequence-classification", "logits"), ("multitask", "entail_logits")}
_FROM_TEXT_AND_LABELS: Final = {("multitask", "label_logits")}


@dataclass(frozen=True, slots=True)
class RowDemand:
    """Counts of one row.

    Attributes:
        num_tokens: control tokens included, padding left out.
        num_pairs: of a token and one that it sees.
        num_read: tokens whose last states the head reads.
        num_pairs_read: of such a token and one that it sees.
    """

    num_tokens: int
    num_pairs: int
    num_read: int
    num_pairs_read: int

    @classmethod
    def of(cls, row: TokenSequence, *, head: str, outputs: Sequence[str]) -> RowDemand:
        """Count what the outputs of a head need.

        A reader needs every token. So do joint models here: which tokens they leave out depends on their
        pooling, and no backend makes use of it.

        Args:
            row: as a backend takes it.
            head: the kind, as `labelwise.backends.heads.HeadOutputs` names it.
            outputs: the names of the head's outputs that are asked for.
        """
        seen = _num_seen(row)
        is_read = np.zeros(len(row), dtype=np.bool_)
        for name in outputs:
            is_read |= _is_read(row, head, name)
        return cls(len(row), int(seen.sum()), int(is_read.sum()), int(seen[is_read].sum()))


def _num_seen(row: TokenSequence) -> NDArray[np.int64]:
    """Count for each token those that it sees: the text is seen by all, a label by itself alone."""
    if row.segment_ids is None:
        return np.full(len(row), len(row), dtype=np.int64)
    counts = np.bincount(row.segment_ids, minlength=1)
    seen: NDArray[np.int64] = counts[0] + np.where(row.segment_ids == 0, 0, counts[row.segment_ids])
    return seen


def _is_read(row: TokenSequence, head: str, output: str) -> NDArray[np.bool_]:
    """Tell which tokens' last states an output is made from."""
    is_read = np.ones(len(row), dtype=np.bool_)
    if (head, output) in _FROM_FIRST_TOKEN:
        is_read[1:] = False
    if (head, output) in _FROM_TEXT_AND_LABELS and row.segment_ids is not None:
        is_read = row.segment_ids == 0
        if row.label_positions is not None:
            is_read[row.label_positions] = True
    return is_read

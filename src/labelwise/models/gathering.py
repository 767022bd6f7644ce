"""Collect the vectors that stand at marked places of a batch."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["gather_marked"]


def gather_marked(states: Tensor, marked: Tensor) -> tuple[Tensor, Tensor]:
    """Collect the states at the marked places of each row, from left to right.

    Args:
        states: [batch, tokens, D].
        marked: boolean [batch, tokens].

    Returns:
        The states [batch, K, D] and a boolean [batch, K] that says which of them are real. K is the largest
        number of marks in a row; the vectors of absent places are zeros.
    """
    counts = marked.sum(dim=-1)
    most = int(counts.max()) if counts.numel() else 0
    present = torch.arange(most, device=states.device) < counts.unsqueeze(-1)
    gathered = states.new_zeros(states.shape[0], most, states.shape[-1])
    # Both masks select in row order, so the i-th mark of a row lands on that row's i-th place.
    gathered[present] = states[marked]
    return gathered, present

"""Each true label against all false labels of its text."""

from __future__ import annotations

import torch
from torch import Tensor

from labelwise.models.losses.targets import known_entries, masked_mean
from labelwise.models.precision import at_least_float32

__all__ = ["one_vs_negatives_loss"]


def one_vs_negatives_loss(logits: Tensor, targets: Tensor, *, margin: float = 0.0) -> Tensor:
    """Average ``log(exp(z_p) + sum_n exp(z_n + margin)) - z_p`` over a row's true labels, then over rows.

    True labels do not compete with each other. Rows without a true label do not count; a row without a false
    label costs 0 (GliZNet's "softmax" loss).

    Args:
        logits: z, [batch, labels].
        targets: [batch, labels] with 0, 1 or -100.
        margin: by how much a true label must beat the false ones before the loss turns small.
    """
    known = known_entries(logits, targets)
    is_true, is_false = known & (targets == 1), known & (targets == 0)
    clean = at_least_float32(logits).masked_fill(~known, 0.0)
    if clean.shape[-1] == 0:
        return clean.sum()
    # The smallest finite number, not -inf: a row may lack negatives, and logsumexp over -inf has no gradient.
    lowest = torch.finfo(clean.dtype).min
    negatives = (clean + margin).masked_fill(~is_false, lowest).logsumexp(dim=-1, keepdim=True)
    entry_losses = torch.logaddexp(torch.zeros_like(clean), negatives - clean)
    row_losses = entry_losses.masked_fill(~is_true, 0.0).sum(dim=-1) / is_true.sum(dim=-1).clamp(min=1)
    return masked_mean(row_losses, is_true.any(dim=-1))

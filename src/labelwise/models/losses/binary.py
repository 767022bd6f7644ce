"""Each label judged alone: binary cross-entropy, and its focal variant."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor

from labelwise.errors import InputError
from labelwise.models.losses.targets import known_entries, masked_mean
from labelwise.models.precision import at_least_float32

__all__ = ["binary_cross_entropy", "focal_loss"]


def binary_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Average the binary cross-entropy over all known labels of the batch; 0 when there are none."""
    known = known_entries(logits, targets)
    return masked_mean(_entry_losses(logits, targets, known), known)


def focal_loss(logits: Tensor, targets: Tensor, *, gamma: float = 1.85, alpha: float | None = None) -> Tensor:
    """Average the focal loss over all known labels of the batch; 0 when there are none.

    An entry weighs ``(1 - p_t) ** gamma``, where p_t is the probability given to its true side (Lin et al.,
    2017, arXiv 1708.02002).

    Args:
        logits: [batch, labels].
        targets: [batch, labels] with 0, 1 or -100.
        gamma: how fast easy labels lose weight; 0 gives the binary cross-entropy.
        alpha: weight of true labels, ``1 - alpha`` being that of false ones; None weighs them alike.

    Raises:
        InputError: gamma is negative or alpha is outside [0, 1].
    """
    if gamma < 0:
        raise InputError(f"gamma is {gamma}: it must be 0 or more")
    if alpha is not None and not 0 <= alpha <= 1:
        raise InputError(f"alpha is {alpha}: it must lie between 0 and 1, or be None")
    known = known_entries(logits, targets)
    is_true = targets == 1
    entry_losses = _entry_losses(logits, targets, known)
    clean = at_least_float32(logits).masked_fill(~known, 0.0)
    # In logarithms: a power of 1 - p_t has no finite gradient where 1 - p_t rounds to 0 and gamma is below 1.
    log_miss = F.logsigmoid(clean.where(~is_true, -clean))
    weighted = entry_losses * torch.exp(gamma * log_miss)
    if alpha is not None:
        weighted = weighted * weighted.new_tensor(alpha).where(is_true, weighted.new_tensor(1 - alpha))
    return masked_mean(weighted, known)


def _entry_losses(logits: Tensor, targets: Tensor, known: Tensor) -> Tensor:
    clean = at_least_float32(logits).masked_fill(~known, 0.0)
    known_targets = targets.to(clean.dtype).masked_fill(~known, 0.0)
    return F.binary_cross_entropy_with_logits(clean, known_targets, reduction="none")

"""The weighted sum that trains a joint model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from labelwise.errors import InputError
from labelwise.models.losses.binary import binary_cross_entropy, focal_loss
from labelwise.models.losses.one_vs_negatives import one_vs_negatives_loss
from labelwise.models.losses.repulsion import repulsion_loss, sample_repulsion_loss

__all__ = ["LOSS_NAMES", "LossSettings", "weighted_total"]

LOSS_NAMES = ("softmax", "repulsion", "bce", "focal", "sample_repulsion")
"""Known losses: the three published ones first, then the designs of later GliZNet versions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LossSettings:
    """Which losses are summed, with which weights.

    Raises:
        InputError: a name is not one of `LOSS_NAMES`, or none is given.
    """

    names: Sequence[str] = ("softmax", "repulsion", "bce")
    softmax_weight: float = 0.5
    softmax_margin: float = 0.5
    binary_weight: float = 0.5
    repulsion_weight: float = 0.05
    focal_gamma: float = 1.85

    def __post_init__(self) -> None:
        if not self.names:
            raise InputError(f"no loss is named: give at least one of {', '.join(LOSS_NAMES)}")
        for name in self.names:
            if name not in LOSS_NAMES:
                raise InputError(f"loss {name!r} is unknown: use {', '.join(LOSS_NAMES)}")


def weighted_total(
    logits: Tensor, targets: Tensor, label_vectors: Tensor, present: Tensor, *, settings: LossSettings
) -> Tensor:
    """Sum the chosen losses; one that is not finite counts as 0.

    Args:
        logits: [batch, labels].
        targets: [batch, labels] with 0, 1 or -100.
        label_vectors: [batch, labels, D].
        present: boolean [batch, labels], which label vectors are real.
        settings: which losses, with which weights.
    """
    losses: dict[str, tuple[float, Callable[[], Tensor]]] = {
        "softmax": (
            settings.softmax_weight,
            lambda: one_vs_negatives_loss(logits, targets, margin=settings.softmax_margin),
        ),
        "repulsion": (settings.repulsion_weight, lambda: repulsion_loss(label_vectors[present])),
        "bce": (settings.binary_weight, lambda: binary_cross_entropy(logits, targets)),
        "focal": (settings.binary_weight, lambda: focal_loss(logits, targets, gamma=settings.focal_gamma)),
        "sample_repulsion": (
            settings.repulsion_weight,
            lambda: sample_repulsion_loss(label_vectors, present),
        ),
    }
    chosen = [losses[name] for name in settings.names]
    weighted = [weight * torch.nan_to_num(loss(), nan=0.0, posinf=0.0, neginf=0.0) for weight, loss in chosen]
    return torch.stack(weighted).sum()

"""Losses for models that score every label of a text in one pass.

All of them read dense ``logits`` [batch, labels] and ``targets`` [batch, labels] holding 0, 1 or
``IGNORED`` (-100) where a label is missing; what stands in ``logits`` at an ignored place, -inf included,
reaches neither the loss nor its gradient.
"""

from __future__ import annotations

from labelwise.models.losses.binary import binary_cross_entropy, focal_loss
from labelwise.models.losses.one_vs_negatives import one_vs_negatives_loss
from labelwise.models.losses.repulsion import repulsion_loss, sample_repulsion_loss
from labelwise.models.losses.targets import IGNORED
from labelwise.models.losses.total import LOSS_NAMES, LossSettings, weighted_total

__all__ = [
    "IGNORED",
    "LOSS_NAMES",
    "LossSettings",
    "binary_cross_entropy",
    "focal_loss",
    "one_vs_negatives_loss",
    "repulsion_loss",
    "sample_repulsion_loss",
    "weighted_total",
]

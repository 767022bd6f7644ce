"""The Trainer of joint models, which looks at the logits as well as at the loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from labelwise.models.losses import IGNORED
from labelwise.training.callbacks import FiniteLoss

__all__ = ["LabelTrainer"]


class LabelTrainer(FiniteLoss):
    """A Trainer that stops at the first loss or logit that is not finite.

    The model counts such a part of its loss as 0, which would hide it.
    """

    def are_finite(self, outputs: Any, inputs: Mapping[str, Any]) -> bool:
        """Say whether the logits of all labels that are judged are finite."""
        logits = outputs["logits"][:, : inputs["labels"].shape[1]]
        judged = inputs["labels"][:, : logits.shape[1]] != IGNORED
        return bool(torch.isfinite(logits[judged]).all())

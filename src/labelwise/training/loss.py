"""The loss for rows that name one class and for rows that only exclude one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from labelwise.errors import InputError, LabelwiseError
from labelwise.training.records import PAIR_LABELS

__all__ = ["MarginalCrossEntropy", "allowed_classes"]


def allowed_classes(classes: Sequence[str]) -> torch.Tensor:
    """Return booleans of shape (4 pair labels, classes): which outputs agree with each of ``PAIR_LABELS``.

    Raises:
        InputError: a pair label agrees with no class.
    """
    agreeing = {
        "entailment": {"entailment"},
        "neutral": {"neutral", "not_entailment"},
        "contradiction": {"contradiction", "not_entailment"},
        "not_entailment": {"neutral", "contradiction", "not_entailment"},
    }
    allowed = torch.tensor([[name in agreeing[label] for name in classes] for label in PAIR_LABELS])
    if not bool(allowed.any(dim=1).all()):
        raise InputError(f"classes {list(classes)} leave a pair label without an output: add a class")
    return allowed


class MarginalCrossEntropy:
    """``-log`` of the probability summed over the classes that a row's label allows.

    Called by transformers' Trainer with the model's output and labels that index ``PAIR_LABELS``.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self._allowed = allowed_classes(classes)

    def __call__(
        self, outputs: Any, labels: torch.Tensor, num_items_in_batch: torch.Tensor | int | None = None
    ) -> torch.Tensor:
        """Return the mean over rows, or the sum over ``num_items_in_batch`` when batches are accumulated.

        Raises:
            LabelwiseError: the loss is not finite.
        """
        logits = outputs["logits"].float()
        allowed = self._allowed.to(logits.device)[labels]
        losses = logits.logsumexp(dim=-1) - logits.masked_fill(~allowed, -math.inf).logsumexp(dim=-1)
        loss: torch.Tensor = losses.sum() / (
            len(losses) if num_items_in_batch is None else num_items_in_batch
        )
        if not bool(torch.isfinite(loss)):
            raise LabelwiseError(
                f"the loss is {loss.item()}: lower learning_rate or use precision fp32, then --resume"
            )
        return loss

"""What the entries of a target table mean, and the means taken over the ones that count."""

from __future__ import annotations

from torch import Tensor

from labelwise.errors import InputError

__all__ = ["IGNORED", "known_entries", "masked_mean"]

IGNORED = -100
"""Target of a label that is missing in a row; the value that transformers' Trainer pads labels with."""


def known_entries(logits: Tensor, targets: Tensor) -> Tensor:
    """Say which entries of a target table count.

    Returns:
        A boolean tensor shaped like ``targets``.

    Raises:
        InputError: the two tables differ in shape.
    """
    if logits.shape != targets.shape:
        raise InputError(
            f"logits {list(logits.shape)} and targets {list(targets.shape)} differ in shape: pad the targets "
            f"with {IGNORED} to one column per label"
        )
    return targets != IGNORED


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Average the values under the mask; 0 (still part of the gradient graph) when the mask is empty."""
    return values.masked_fill(~mask, 0.0).sum() / mask.sum().clamp(min=1)

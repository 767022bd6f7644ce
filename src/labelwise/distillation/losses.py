"""The losses of a student: hard labels, the teacher's soft labels, and its hidden states."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional

__all__ = ["hidden_state_loss", "soft_label_loss", "supervising_layers"]


def supervising_layers(kept: Sequence[int], *, teacher_depth: int) -> tuple[int, ...]:
    """Return, for each student layer, the teacher layer whose output it should reach.

    A student layer does the work of all teacher layers up to the next kept one, and the last one of all.

    >>> supervising_layers((0, 4, 8, 11), teacher_depth=12)
    (3, 7, 10, 11)
    """
    return (*(following - 1 for following in kept[1:]), teacher_depth - 1)


def soft_label_loss(student: torch.Tensor, teacher: torch.Tensor, *, temperature: float) -> torch.Tensor:
    """Return ``T^2 KL(teacher || student)`` of logits, shape (rows, classes), as a mean over rows.

    The square keeps the gradients' size from falling with the temperature (Hinton et al. 2015,
    arXiv:1503.02531).
    """
    divergence = functional.kl_div(
        functional.log_softmax(student.float() / temperature, dim=-1),
        functional.log_softmax(teacher.float() / temperature, dim=-1),
        reduction="batchmean",
        log_target=True,
    )
    return divergence * temperature**2


def hidden_state_loss(
    student: Sequence[torch.Tensor],
    teacher: Sequence[torch.Tensor],
    *,
    kept: Sequence[int],
    attention_mask: torch.Tensor,
) -> torch.Tensor:
    """Return the mean squared distance of mapped layers' outputs, over real tokens.

    Both sequences begin with the embeddings, shape (rows, tokens, width) each.
    """
    layers = supervising_layers(kept, teacher_depth=len(teacher) - 1)
    mask = attention_mask.unsqueeze(-1).float()
    total = student[0].new_zeros((), dtype=torch.float32)
    for own, other in zip(student[1:], (teacher[layer + 1] for layer in layers), strict=True):
        squared = (own.float() - other.float()).square() * mask
        total = total + squared.sum() / (mask.sum() * own.shape[-1])
    return total / len(layers)

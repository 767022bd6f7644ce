"""Keep label vectors apart by the variance and covariance terms of VICReg (arXiv 2105.04906)."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor

from labelwise.errors import InputError
from labelwise.models.losses.targets import masked_mean
from labelwise.models.precision import at_least_float32

__all__ = ["repulsion_loss", "sample_repulsion_loss"]

_VARIANCE_FLOOR = 1e-4
_COVARIANCE_WEIGHT = 0.04


def repulsion_loss(label_vectors: Tensor, *, target_deviation: float = 1.0) -> Tensor:
    """Spread all label vectors of a batch, as the first GliZNet checkpoints were trained.

    ``mean_d relu(target - sqrt(var_d + 1e-4)) + 0.04 * sum_{i != j} cov_ij ** 2 / D``, with the unbiased
    variance and covariance over the N vectors.

    Args:
        label_vectors: [N, D], unnormalised, whichever text they came from.
        target_deviation: standard deviation per dimension from which the variance term is 0.

    Returns:
        A scalar; 0 when there are fewer than two vectors.
    """
    vectors = label_vectors.unsqueeze(0)
    present = torch.ones(vectors.shape[:2], dtype=torch.bool, device=vectors.device)
    return _mean_spread_loss(vectors, present, target_deviation)


def sample_repulsion_loss(
    label_vectors: Tensor, present: Tensor, *, target_deviation: float = 0.05
) -> Tensor:
    """Spread the label vectors of each text among themselves, after scaling each to length 1.

    The design of later GliZNet versions: the formula of `repulsion_loss` for each text, averaged over the
    texts that have at least two labels.

    Args:
        label_vectors: [batch, labels, D].
        present: boolean [batch, labels], false where a text has no such label.
        target_deviation: standard deviation per dimension from which the variance term is 0.

    Returns:
        A scalar; 0 when no text has two labels.

    Raises:
        InputError: ``present`` does not have one entry per label vector.
    """
    if present.shape != label_vectors.shape[:2]:
        raise InputError(
            f"present is {list(present.shape)}: it needs one entry per label, {list(label_vectors.shape[:2])}"
        )
    # Before normalising: the gradient of x / |x| is not finite where padding holds a zero vector.
    clean = at_least_float32(label_vectors).masked_fill(~present.unsqueeze(-1), 1.0)
    return _mean_spread_loss(F.normalize(clean, dim=-1), present, target_deviation)


def _mean_spread_loss(vectors: Tensor, present: Tensor, target_deviation: float) -> Tensor:
    """Average variance + covariance terms over the groups ([groups, N, D]) that hold two vectors or more."""
    # Mixed precision would round the covariance to 8 bits of mantissa.
    with torch.autocast(device_type=vectors.device.type, enabled=False):
        vectors = at_least_float32(vectors)
        weights = present.to(vectors.dtype).unsqueeze(-1)
        counts = present.sum(dim=-1)
        means = (vectors * weights).sum(dim=1, keepdim=True) / counts.clamp(min=1).view(-1, 1, 1)
        centred = (vectors - means) * weights
        covariances = centred.transpose(1, 2) @ centred / (counts - 1).clamp(min=1).view(-1, 1, 1)
        variances = covariances.diagonal(dim1=1, dim2=2)
        spread = F.relu(target_deviation - (variances + _VARIANCE_FLOOR).sqrt()).mean(dim=-1)
        off_diagonal = covariances - torch.diag_embed(variances)
        overlap = off_diagonal.square().sum(dim=(1, 2)) / vectors.shape[-1]
        return masked_mean(spread + _COVARIANCE_WEIGHT * overlap, counts >= 2)

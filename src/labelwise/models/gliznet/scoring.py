"""From a text vector and a label vector to a logit."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn

from labelwise.models.precision import at_least_float32

__all__ = ["BilinearScoring", "CosineScoring", "LabelAggregator"]

_MAX_SCALE = 100.0


class BilinearScoring(nn.Module):
    """``t W a + b``; text first, label second."""

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.bilinear = nn.Bilinear(hidden_size, hidden_size, 1)

    def forward(self, text_vectors: Tensor, label_vectors: Tensor) -> Tensor:
        """Score pairs of [..., D] vectors, giving [...] in float32 or wider."""
        # A matrix product and a sum instead of nn.Bilinear's own call: faster, and open to mixed precision.
        turned = F.linear(label_vectors, self.bilinear.weight[0])
        return (at_least_float32(text_vectors) * at_least_float32(turned)).sum(dim=-1) + self.bilinear.bias


class CosineScoring(nn.Module):
    """``cos(t, a) * min(exp(logit_scale), 100)``; the scale starts at 1 / 0.07."""

    INITIAL_LOGIT_SCALE = math.log(1 / 0.07)

    def __init__(self) -> None:
        super().__init__()
        self.logit_scale = nn.Parameter(torch.tensor(self.INITIAL_LOGIT_SCALE))

    def forward(self, text_vectors: Tensor, label_vectors: Tensor) -> Tensor:
        """Score pairs of [..., D] vectors, giving [...] in float32 or wider."""
        cosines = F.cosine_similarity(at_least_float32(text_vectors), at_least_float32(label_vectors), dim=-1)
        return cosines * self.logit_scale.exp().clamp(max=_MAX_SCALE)


class LabelAggregator(nn.Module):
    """Holds the scoring module, under the name that published checkpoints give it."""

    def __init__(self, hidden_size: int, *, scoring_method: str) -> None:
        super().__init__()
        self.scoring = BilinearScoring(hidden_size) if scoring_method == "bilinear" else CosineScoring()

    def forward(self, text_vectors: Tensor, label_vectors: Tensor) -> Tensor:
        """Score pairs of [batch, labels, D] vectors, giving [batch, labels]."""
        return self.scoring(text_vectors, label_vectors)  # type: ignore[no-any-return]

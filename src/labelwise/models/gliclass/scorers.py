"""From a text vector and label vectors to logits; parameter names as published."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn

from labelwise.models.gliclass.configuration import GLiClassConfig

__all__ = ["SCORERS", "CrossAttentionScorer", "DotScorer", "MLPScorer", "WeightedDotScorer"]

# The configuration's scorer_mlp_hidden_size never reaches this scorer in the published package.
_MLP_WIDTH = 256


class DotScorer(nn.Module):
    """The dot product; no parameters."""

    def __init__(self, config: GLiClassConfig) -> None:
        super().__init__()

    def forward(self, text: Tensor, labels: Tensor, is_text: Tensor) -> Tensor:
        """Score text [batch, D] against labels [batch, K, D], giving [batch, K]."""
        return torch.einsum("bd,bkd->bk", text, labels)


class WeightedDotScorer(nn.Module):
    """Two linear views of each side: one pair concatenated, the other multiplied, then a small network."""

    def __init__(self, config: GLiClassConfig) -> None:
        super().__init__()
        width = config.hidden_size
        self.proj_text = nn.Linear(width, width * 2)
        self.proj_label = nn.Linear(width, width * 2)
        self.out_mlp = nn.Sequential(
            nn.Linear(width * 3, width * 4), nn.Dropout(0.1), nn.ReLU(), nn.Linear(width * 4, 1)
        )

    def forward(self, text: Tensor, labels: Tensor, is_text: Tensor) -> Tensor:
        """Score text [batch, D] against labels [batch, K, D], giving [batch, K]."""
        text_view, text_factor = self.proj_text(text).unsqueeze(1).chunk(2, dim=-1)
        label_view, label_factor = self.proj_label(labels).chunk(2, dim=-1)
        joined = torch.cat([text_view.expand_as(label_view), label_view, text_factor * label_factor], dim=-1)
        scores: Tensor = self.out_mlp(joined).squeeze(-1)
        return scores


class MLPScorer(nn.Module):
    """A network of three layers over both vectors side by side."""

    def __init__(self, config: GLiClassConfig) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(config.hidden_size * 2, _MLP_WIDTH),
            nn.ReLU(),
            nn.Linear(_MLP_WIDTH, _MLP_WIDTH // 2),
            nn.ReLU(),
            nn.Linear(_MLP_WIDTH // 2, 1),
        )

    def forward(self, text: Tensor, labels: Tensor, is_text: Tensor) -> Tensor:
        """Score text [batch, D] against labels [batch, K, D], giving [batch, K]."""
        repeated = text.unsqueeze(1).expand(-1, labels.shape[1], -1)
        scores: Tensor = self.mlp(torch.cat([repeated, labels], dim=-1)).squeeze(-1)
        return scores


class CrossAttentionScorer(nn.Module):
    """Every label attends to the text tokens, then a network reads it beside what it saw."""

    def __init__(self, config: GLiClassConfig) -> None:
        super().__init__()
        width, inner = config.hidden_size, config.scorer_mlp_hidden_size
        self.num_heads = config.scorer_num_heads
        self.q_norm = nn.LayerNorm(width)
        self.kv_norm = nn.LayerNorm(width)
        self.q = nn.Linear(width, width)
        self.k = nn.Linear(width, width)
        self.v = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.score_mlp = nn.Sequential(
            nn.Linear(width * 2, inner),
            nn.GELU(),
            nn.Linear(inner, inner // 2),
            nn.GELU(),
            nn.Linear(inner // 2, 1),
        )

    def forward(self, text: Tensor, labels: Tensor, is_text: Tensor) -> Tensor:
        """Score text tokens [batch, tokens, D] against labels [batch, K, D], giving [batch, K]."""
        queries = self._split(self.q(self.q_norm(labels)))
        # Only the keys are normalised; so it was published.
        keys, values = self._split(self.k(self.kv_norm(text))), self._split(self.v(text))
        read = F.scaled_dot_product_attention(queries, keys, values, attn_mask=is_text[:, None, None, :])
        context = self.norm(self.out(read.transpose(1, 2).flatten(2)))
        scores: Tensor = self.score_mlp(torch.cat([context, labels], dim=-1)).squeeze(-1)
        return scores

    def _split(self, vectors: Tensor) -> Tensor:
        return vectors.view(*vectors.shape[:2], self.num_heads, -1).transpose(1, 2)


SCORERS: Mapping[str, Callable[[GLiClassConfig], nn.Module]] = {
    "simple": DotScorer,
    "weighted-dot": WeightedDotScorer,
    "mlp": MLPScorer,
    "cross-attn": CrossAttentionScorer,
}

"""One encoder layer over packed tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from labelwise.graphs.relative_positions import RelativeSettings
from labelwise.models.attention.dispatch import disentangled_attention
from labelwise.models.attention.layout import PackedLayout
from labelwise.models.attention.positions import PositionTables

__all__ = ["PackedAttention", "PackedLayer"]


class PackedAttention(nn.Module):
    """The attention of one layer up to the joined heads, with its position tables computed beforehand."""

    joined_weight: Tensor
    joined_bias: Tensor
    position_keys: Tensor | None
    position_queries: Tensor | None

    def __init__(self, attention: Any, rows: Tensor | None, settings: RelativeSettings) -> None:
        """Take over one layer's projections.

        Args:
            attention: transformers' ``DisentangledSelfAttention``.
            rows: Embeddings of relative positions, float32 [settings.num_rows, hidden]; None for none.
            settings: What config.json says about relative positions.
        """
        super().__init__()
        projections = [attention.query_proj, attention.key_proj, attention.value_proj]
        self.num_heads: int = attention.num_attention_heads
        self.head_size: int = attention.attention_head_size
        self.scale = (self.head_size * settings.num_score_kinds) ** -0.5
        weight = torch.cat([projection.weight.detach() for projection in projections])
        self.register_buffer("joined_weight", weight)
        self.register_buffer(
            "joined_bias", torch.cat([projection.bias.detach() for projection in projections])
        )
        tables = _tables(attention, rows, settings, self.num_heads)
        for name, table in (("position_keys", tables.keys), ("position_queries", tables.queries)):
            self.register_buffer(name, None if table is None else table.to(weight.dtype))

    def forward(self, hidden: Tensor, layout: PackedLayout, query_rows: Tensor | None = None) -> Tensor:
        """Return [queries, width] from packed vectors [tokens, width].

        Args:
            hidden: [layout.num_keys, width].
            layout: Where each sequence stands.
            query_rows: The places of the queries in ``hidden``; None for all.
        """
        width = self.num_heads * self.head_size
        if query_rows is None:
            joined = linear(hidden, self.joined_weight, self.joined_bias)
            query, key, value = self._heads(joined, 3)
        else:
            asking = hidden[query_rows]
            (query,) = self._heads(linear(asking, self.joined_weight[:width], self.joined_bias[:width]), 1)
            joined = linear(hidden, self.joined_weight[width:], self.joined_bias[width:])
            key, value = self._heads(joined, 2)
        positions = PositionTables(keys=self.position_keys, queries=self.position_queries)
        attended = disentangled_attention(
            query, key, value, positions=positions, layout=layout, scale=self.scale
        )
        return attended.flatten(1)

    def _heads(self, joined: Tensor, parts: int) -> tuple[Tensor, ...]:
        """Split [tokens, parts * width] into views [tokens, heads, head_size], without copying."""
        return joined.view(len(joined), parts, self.num_heads, self.head_size).unbind(1)


class PackedLayer(nn.Module):
    """One layer; all that follows the attention works token by token, so transformers' own modules do it."""

    def __init__(self, layer: Any, rows: Tensor | None, settings: RelativeSettings) -> None:
        super().__init__()
        self.attention = PackedAttention(layer.attention.self, rows, settings)
        self.after_attention = layer.attention.output
        self.intermediate = layer.intermediate
        self.output = layer.output

    def forward(self, hidden: Tensor, layout: PackedLayout, query_rows: Tensor | None = None) -> Tensor:
        """Return [queries, hidden]; see `PackedAttention.forward`."""
        attended = self.attention(hidden, layout, query_rows)
        asking = hidden if query_rows is None else hidden[query_rows]
        added = self.after_attention(attended, asking)
        result: Tensor = self.output(self.intermediate(added), added)
        return result


def _tables(
    attention: Any, rows: Tensor | None, settings: RelativeSettings, num_heads: int
) -> PositionTables:
    if rows is None:
        return PositionTables(keys=None, queries=None)
    is_shared = settings.shares_content_projections
    to_key = to_query = None
    if settings.scores_content_to_position:
        to_key = _in_float32(attention.key_proj if is_shared else attention.pos_key_proj)
    if settings.scores_position_to_content:
        to_query = _in_float32(attention.query_proj if is_shared else attention.pos_query_proj)
    return PositionTables.project(rows, settings, num_heads=num_heads, to_key=to_key, to_query=to_query)


def _in_float32(projection: nn.Linear) -> Callable[[Tensor], Tensor]:
    """Project in float32: done once per model, so 16-bit tables are rounded only at the end."""

    def project(rows: Tensor) -> Tensor:
        bias = None if projection.bias is None else projection.bias.detach().float()
        return linear(rows, projection.weight.detach().float(), bias)

    return project

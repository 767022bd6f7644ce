"""Disentangled attention (DeBERTa, arXiv 2006.03654): scores from content and from relative positions.

What depends on weights alone, the projections of the relative positions, is computed when the graph is built
and kept as one table per layer. At run time a layer takes one row of it per offset between two tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labelwise.graphs.attention import (
    scaled,
    write_attended,
    write_first_query,
    write_single_query_scores,
)
from labelwise.graphs.layer import TokenInputs, write_head_projections
from labelwise.graphs.nodes import GraphWriter
from labelwise.graphs.relative_positions import PositionIndices, RelativeSettings, read_relative_rows
from labelwise.graphs.settings import EncoderSettings
from labelwise.graphs.tensors import Affine, CheckpointTensors, FloatArray
from labelwise.graphs.weighted import write_rows

__all__ = ["DisentangledAttention"]


@dataclass(frozen=True, slots=True)
class DisentangledAttention:
    """Writes the attention of each layer of one encoder."""

    writer: GraphWriter
    inputs: TokenInputs
    settings: EncoderSettings
    relative: RelativeSettings
    positions: tuple[FloatArray, PositionIndices] | None
    """The embeddings of relative positions ``[rows, hidden]`` and which of them to read."""

    @classmethod
    def prepare(
        cls,
        writer: GraphWriter,
        config: Mapping[str, Any],
        encoder: CheckpointTensors,
        inputs: TokenInputs,
        settings: EncoderSettings,
    ) -> DisentangledAttention:
        """Read and write what all layers share."""
        relative = RelativeSettings.from_config(config)
        if not relative.has_positions:
            return cls(writer, inputs, settings, relative, None)
        rows = read_relative_rows(config, encoder, relative, settings)
        indices = PositionIndices.write(writer, inputs, relative)
        return cls(writer, inputs, settings, relative, (rows, indices))

    def write(self, layer: CheckpointTensors, hidden: str, first_rows: str | None) -> str:
        """Write one layer's attention up to the joined heads.

        Returns:
            ``[batch * tokens, hidden]``, or ``[batch, hidden]`` when ``first_rows`` holds the only rows to
            compute.
        """
        writer, settings = self.writer, self.settings
        size = settings.hidden_size
        # The scale stands in the queries, those of the content and those of the positions.
        factor = (settings.head_size * self.relative.num_score_kinds) ** -0.5
        query = scaled(layer.linear("query_proj", size_in=size, size_out=size), factor)
        key, value = (layer.linear(f"{name}_proj", size_in=size, size_out=size) for name in ("key", "value"))
        position_key = position_query = None
        if self.positions is not None and self.relative.scores_content_to_position:
            position_key = self._position_layer(layer, "pos_key_proj", shared=key)
        if self.positions is not None and self.relative.scores_position_to_content:
            position_query = self._position_layer(layer, "pos_query_proj", shared=query, factor=factor)
        if first_rows is None:
            queries, keys, values = write_head_projections(
                writer, self.inputs, hidden, [query, key, value], settings
            )
            scores = self._scores(queries, keys, position_key, position_query)
        else:
            keys, values = write_head_projections(writer, self.inputs, hidden, [key, value], settings)
            first_query = write_first_query(writer, first_rows, query, settings)
            scores = self._first_query_scores(first_query, keys, position_key, position_query)
        is_single_query = first_rows is not None
        return write_attended(writer, scores, values, self.inputs, settings, is_single_query=is_single_query)

    def _position_layer(
        self, layer: CheckpointTensors, name: str, *, shared: Affine, factor: float = 1.0
    ) -> Affine:
        if self.relative.shares_content_projections:
            return shared
        size = self.settings.hidden_size
        return scaled(layer.linear(name, size_in=size, size_out=size), factor)

    def _scores(
        self, queries: str, keys: str, position_key: Affine | None, position_query: Affine | None
    ) -> str:
        """Score all pairs of tokens: ``[batch, heads, tokens, tokens]``."""
        writer = self.writer
        scores = writer.product_with_transposed(queries, keys, right_rank=4)
        if self.positions is None:
            return scores
        rows, indices = self.positions
        if position_key is not None:
            table = self._table(rows, position_key, indices.key_after_query, kind="keys")
            by_offset = writer.product_with_transposed(queries, table, right_rank=3)
            scores = writer.node("Add", scores, indices.write_skewed(writer, by_offset))
        if position_query is not None:
            table = self._table(rows, position_query, indices.query_after_key, kind="queries")
            by_offset = writer.product_with_transposed(keys, table, right_rank=3)
            by_key = indices.write_skewed(writer, by_offset)
            scores = writer.node("Add", scores, writer.node("Transpose", by_key, perm=[0, 1, 3, 2]))
        return scores

    def _first_query_scores(
        self, query: str, keys: str, position_key: Affine | None, position_query: Affine | None
    ) -> str:
        """Score the first token against all: ``[batch, heads, 1, tokens]``; each key has one offset only."""
        writer = self.writer
        if self.positions is None:
            return write_single_query_scores(writer, query, keys)
        rows, indices = self.positions
        read = keys
        if position_key is not None:
            table = self._table(rows, position_key, indices.first_query, kind="keys")
            read = writer.node("Add", keys, table)
        scores = write_single_query_scores(writer, query, read)
        if position_query is not None:
            table = self._table(rows, position_query, indices.first_query, kind="queries")
            scores = writer.node("Add", scores, write_single_query_scores(writer, table, keys))
        return scores

    def _table(self, rows: FloatArray, layer: Affine, indices: str, *, kind: str) -> str:
        """Take the projected positions, ``[heads, len(indices), head_size]``."""
        projected = rows @ layer.weight.T + layer.bias
        by_head = projected.reshape(-1, self.settings.num_heads, self.settings.head_size).transpose(1, 0, 2)
        return write_rows(self.writer, by_head, indices, name=f"{layer.name}.position_{kind}", axis=1)

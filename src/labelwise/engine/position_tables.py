"""DeBERTa's relative positions, projected once per layer: they depend on weights alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelwise.engine.native import KEY_TABLE, QUERY_TABLE, NativeEncoder
from labelwise.graphs.buckets import row_of_distance
from labelwise.graphs.relative_positions import RelativeSettings, read_relative_rows
from labelwise.graphs.settings import EncoderSettings
from labelwise.graphs.tensors import Affine, CheckpointTensors

__all__ = ["PositionProjections"]


@dataclass(frozen=True, slots=True)
class PositionProjections:
    """What all layers share.

    Attributes:
        rows: The embeddings of relative positions, [rows, hidden]; None where no score needs them.
        row_of_distance: The row for each distance query - key, from -reach to reach; beyond, the end rows go
            on.
    """

    relative: RelativeSettings
    rows: NDArray[np.float32] | None
    row_of_distance: NDArray[np.int64]

    @classmethod
    def prepare(
        cls, config: Mapping[str, Any], encoder: CheckpointTensors, settings: EncoderSettings
    ) -> PositionProjections:
        """Read the embeddings of relative positions.

        Raises:
            CheckpointError: a setting has no meaning, or a tensor is missing.
        """
        relative = RelativeSettings.from_config(config)
        rows = read_relative_rows(config, encoder, relative, settings) if relative.has_positions else None
        of_distance = row_of_distance(num_buckets=relative.num_buckets, max_distance=relative.max_distance)
        return cls(relative, rows, of_distance)

    @property
    def num_score_kinds(self) -> int:
        """Kinds of scores that are summed."""
        return self.relative.num_score_kinds

    def set_tables(
        self,
        encoder: NativeEncoder,
        number: int,
        attention: CheckpointTensors,
        query: Affine,
        key: Affine,
        *,
        factor: float,
    ) -> None:
        """Project the positions with a layer's keys and queries, the latter times the factor."""
        if self.rows is None:
            return
        if self.relative.scores_content_to_position:
            layer = self._layer(attention, "pos_key_proj", shared=key)
            projected = self.rows @ layer.weight.T + layer.bias
            encoder.set_table(number, KEY_TABLE, projected, self.row_of_distance[::-1])
        if self.relative.scores_position_to_content:
            layer = self._layer(attention, "pos_query_proj", shared=query)
            projected = (self.rows @ layer.weight.T + layer.bias) * np.float32(factor)
            encoder.set_table(number, QUERY_TABLE, projected, self.row_of_distance)

    def _layer(self, attention: CheckpointTensors, name: str, *, shared: Affine) -> Affine:
        if self.relative.shares_content_projections:
            return shared
        size = shared.weight.shape[0]
        return attention.linear(name, size_in=size, size_out=size)

"""DeBERTa's relative positions: their settings, their embeddings and the rows that one batch reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from labelwise.errors import CheckpointError
from labelwise.graphs.buckets import row_of_distance
from labelwise.graphs.settings import EncoderSettings, whole_number_in
from labelwise.graphs.tensors import CheckpointTensors, FloatArray

if TYPE_CHECKING:
    from labelwise.graphs.layer import TokenInputs
    from labelwise.graphs.nodes import GraphWriter

__all__ = ["PositionIndices", "RelativeSettings", "read_relative_rows"]


@dataclass(frozen=True, slots=True)
class RelativeSettings:
    """What config.json says about relative positions."""

    is_relative: bool
    shares_content_projections: bool
    scores_content_to_position: bool
    scores_position_to_content: bool
    num_buckets: int
    """``position_buckets``; not positive means a row for every distance."""
    max_distance: int

    def __post_init__(self) -> None:
        if self.num_buckets > 0 and (self.num_buckets < 4 or self.max_distance - 1 <= self.num_buckets // 2):
            raise CheckpointError(
                f"config.json: position_buckets {self.num_buckets} with max_relative_positions "
                f"{self.max_distance} leaves no distances to share buckets; use 4 buckets or more and "
                "max_relative_positions above half of them"
            )

    @property
    def has_positions(self) -> bool:
        """Whether any score depends on relative positions."""
        return self.is_relative and (self.scores_content_to_position or self.scores_position_to_content)

    @property
    def num_rows(self) -> int:
        """Rows of the table of relative positions."""
        return 2 * (self.num_buckets if self.num_buckets > 0 else self.max_distance)

    @property
    def num_score_kinds(self) -> int:
        """Kinds of scores that are summed, content to content included; the scale counts them."""
        return 1 + self.scores_content_to_position + self.scores_position_to_content

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> RelativeSettings:
        """Read the settings; ``pos_att_type`` may be a list or a string with bars."""
        kinds = config.get("pos_att_type") or []
        if isinstance(kinds, str):
            kinds = [kind.strip() for kind in kinds.lower().split("|")]
        max_distance = whole_number_in(config, "max_relative_positions", default=-1)
        if max_distance < 1:
            max_distance = whole_number_in(config, "max_position_embeddings", at_least=1, default=512)
        return cls(
            is_relative=bool(config.get("relative_attention", False)),
            shares_content_projections=bool(config.get("share_att_key", False)),
            scores_content_to_position="c2p" in kinds,
            scores_position_to_content="p2c" in kinds,
            num_buckets=whole_number_in(config, "position_buckets", default=-1),
            max_distance=max_distance,
        )


@dataclass(frozen=True, slots=True)
class PositionIndices:
    """Table rows for the offsets in one batch, and the bounds of the skewed read; all layers share them.

    The first two run over offsets from -(tokens - 1) to tokens: one more than needed, so that a text of a
    single token has something left to read, too.
    """

    key_after_query: str
    """Int64 ``[2 * tokens]``: the row for each offset key - query."""
    query_after_key: str
    """Int64 ``[2 * tokens]``: the row for each offset query - key."""
    first_query: str
    """Int64 ``[tokens]``: the row for each key as seen from the first token."""
    skew_start: str
    skew_end: str
    skew_shape: str
    tokens: str

    @classmethod
    def write(cls, writer: GraphWriter, inputs: TokenInputs, relative: RelativeSettings) -> PositionIndices:
        """Write the indices, once per graph."""
        rows = row_of_distance(num_buckets=relative.num_buckets, max_distance=relative.max_distance)
        reach = len(rows) // 2
        last = writer.node("Sub", inputs.tokens, writer.integers(1))
        width = writer.node("Add", inputs.tokens, last)
        num_offsets = writer.node("Squeeze", writer.node("Add", width, writer.integers(1)))
        steps = writer.node("Range", writer.index(0), num_offsets, writer.index(1))
        offsets = writer.node("Sub", steps, last)
        clipped = writer.node("Clip", offsets, writer.index(-reach), writer.index(reach))
        places = writer.node("Add", clipped, writer.index(reach))
        of_distance = writer.constant("row_of_distance", rows)
        of_opposite_distance = writer.constant("row_of_opposite_distance", rows[::-1])
        key_after_query = writer.node("Gather", of_opposite_distance, places)
        return cls(
            key_after_query=key_after_query,
            query_after_key=writer.node("Gather", of_distance, places),
            first_query=writer.slice(key_after_query, last, width, axis=0),
            skew_start=last,
            skew_end=writer.node("Add", last, writer.node("Mul", inputs.tokens, width)),
            skew_shape=writer.shape(0, 0, inputs.tokens, -1),
            tokens=inputs.tokens,
        )

    def write_skewed(self, writer: GraphWriter, scores: str) -> str:
        """Turn scores by offset ``[..., tokens, 2 * tokens]`` into scores by token ``[..., tokens, tokens]``.

        Row i needs the offsets from -i on, which start in column tokens - 1 - i. In the flat row-major data
        each row's start lies 2 * tokens - 1 behind that of the row before, so cutting off the first
        tokens - 1 values and reading rows of that width lines the starts up, without gathering.
        """
        flat = writer.reshape(scores, 0, 0, -1)
        from_first_start = writer.slice(flat, self.skew_start, self.skew_end, axis=2)
        lined_up = writer.node("Reshape", from_first_start, self.skew_shape)
        return writer.slice(lined_up, writer.integers(0), self.tokens, axis=3)


def read_relative_rows(
    config: Mapping[str, Any],
    encoder: CheckpointTensors,
    relative: RelativeSettings,
    settings: EncoderSettings,
) -> FloatArray:
    """Read the embeddings of relative positions, normalised where the model does so; ``[rows, hidden]``."""
    size = settings.hidden_size
    rows = encoder.read("rel_embeddings.weight", relative.num_rows, size)
    if "layer_norm" not in str(config.get("norm_rel_ebd", "none")).lower():
        return rows
    norm = encoder.norm("LayerNorm", size=size)
    exact = rows.astype(np.float64)
    centred = exact - exact.mean(axis=1, keepdims=True)
    deviation = np.sqrt((centred**2).mean(axis=1, keepdims=True) + settings.norm_epsilon)
    normed: FloatArray = (centred / deviation * norm.weight + norm.bias).astype(np.float32)
    return normed

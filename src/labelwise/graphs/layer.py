"""The parts of an encoder layer that all families share.

Activations are ``[batch * tokens, hidden]`` between the parts, so that every product with weights is one
plain matrix product whatever the batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from onnx import TensorProto

from labelwise.graphs.activations import EXACT_GELU, write_activation
from labelwise.graphs.nodes import GraphWriter
from labelwise.graphs.settings import EncoderSettings
from labelwise.graphs.tensors import Affine, CheckpointTensors
from labelwise.graphs.weighted import write_linear, write_matrix_product, write_norm

__all__ = [
    "TokenInputs",
    "write_context_rows",
    "write_first_rows",
    "write_head_projections",
    "write_output_and_feed_forward",
]

_MASKED: Final = 1e30  # far below any attention score, so exp gives exactly zero, and still finite


@dataclass(frozen=True, slots=True)
class TokenInputs:
    """The graph's inputs and what every layer derives from them."""

    ids: str
    token_types: str | None
    mask_bias: str
    """Float32 ``[batch, 1, 1 or tokens, tokens]``: 0 where a token is seen, hugely negative elsewhere."""
    mask: str
    """Float32 ``[batch, tokens]``: 1 for tokens, 0 for padding."""
    batch: str
    """How many rows, as int64 of shape ``[1]``."""
    tokens: str
    """How many tokens with padding, as int64 of shape ``[1]``."""
    positions: str | None = None
    """Each token's place in the position table, ``[batch, tokens]``; None counts from 0."""

    @classmethod
    def declare(cls, writer: GraphWriter, *, has_token_types: bool) -> TokenInputs:
        """Add the inputs to the graph."""
        ids = writer.token_input("input_ids")
        mask = writer.node("Cast", writer.token_input("attention_mask"), to=TensorProto.FLOAT)
        token_types = writer.token_input("token_type_ids") if has_token_types else None
        missing = writer.node("Sub", mask, writer.number(1.0))
        bias = writer.node("Mul", missing, writer.number(_MASKED))
        return cls(
            ids=ids,
            token_types=token_types,
            mask=mask,
            mask_bias=writer.node("Unsqueeze", bias, writer.integers(1, 2)),
            batch=writer.node("Shape", ids, start=0, end=1),
            tokens=writer.node("Shape", ids, start=1, end=2),
        )

    @classmethod
    def declare_segments(cls, writer: GraphWriter) -> TokenInputs:
        """Add the inputs of a multi-task graph: ``segment_ids`` say which tokens see which.

        A token sees segment 0, the text, and its own; padding is segment -1, which nothing else sees.
        """
        ids = writer.token_input("input_ids")
        segments = writer.token_input("segment_ids")
        rows = writer.node("Unsqueeze", segments, writer.integers(2))
        columns = writer.node("Unsqueeze", segments, writer.integers(1))
        is_text = writer.node("Equal", columns, writer.index(0))
        is_same = writer.node("Equal", rows, columns)
        is_label = writer.node("Greater", columns, writer.index(0))
        is_seen = writer.node("Or", is_text, writer.node("And", is_same, is_label))
        seen = writer.node("Cast", is_seen, to=TensorProto.FLOAT)
        unseen = writer.node("Sub", seen, writer.number(1.0))
        bias = writer.node("Mul", unseen, writer.number(_MASKED))
        is_token = writer.node("GreaterOrEqual", segments, writer.index(0))
        return cls(
            ids=ids,
            token_types=writer.token_input("token_type_ids"),
            positions=writer.token_input("position_ids"),
            mask=writer.node("Cast", is_token, to=TensorProto.FLOAT),
            mask_bias=writer.node("Unsqueeze", bias, writer.integers(1)),
            batch=writer.node("Shape", ids, start=0, end=1),
            tokens=writer.node("Shape", ids, start=1, end=2),
        )


def write_first_rows(writer: GraphWriter, inputs: TokenInputs, hidden: str) -> str:
    """Keep the first token of each text: ``[batch * tokens, hidden]`` to ``[batch, hidden]``."""
    by_text = writer.node("Reshape", hidden, writer.shape(inputs.batch, inputs.tokens, -1))
    return writer.node("Gather", by_text, writer.index(0), axis=1)


def write_head_projections(
    writer: GraphWriter, inputs: TokenInputs, hidden: str, layers: list[Affine], settings: EncoderSettings
) -> list[str]:
    """Project all tokens with several linear layers in one product, each cut into heads.

    Returns:
        For each layer, ``[batch, heads, tokens, head_size]``.
    """
    joined = Affine(
        f"{layers[0].name}_to_{layers[-1].name.rpartition('.')[2]}",
        np.concatenate([layer.weight for layer in layers]),
        np.concatenate([layer.bias for layer in layers]),
    )
    projected = write_linear(writer, hidden, joined)
    shape = writer.shape(inputs.batch, -1, len(layers), settings.num_heads, settings.head_size)
    by_head = writer.node("Reshape", projected, shape)
    parts_first = writer.node("Transpose", by_head, perm=[2, 0, 3, 1, 4])
    first_axis = writer.integers(0)
    return [
        writer.node("Squeeze", part, first_axis)
        for part in writer.split(parts_first, parts=len(layers), axis=0)
    ]


def write_context_rows(writer: GraphWriter, context: str, settings: EncoderSettings) -> str:
    """Join the heads: ``[batch, heads, tokens, head_size]`` to ``[batch * tokens, hidden]``."""
    by_token = writer.node("Transpose", context, perm=[0, 2, 1, 3])
    return writer.reshape(by_token, -1, settings.hidden_size)


def write_output_and_feed_forward(
    writer: GraphWriter, tensors: CheckpointTensors, context: str, residual: str, settings: EncoderSettings
) -> str:
    """Write all of a layer after its attention: output projection, feed-forward and both layer norms."""
    hidden, intermediate = settings.hidden_size, settings.intermediate_size
    output = tensors.linear("attention.output.dense", size_in=hidden, size_out=hidden)
    norm = tensors.norm("attention.output.LayerNorm", size=hidden)
    attended = _write_residual_norm(writer, context, output, residual, norm, settings)
    widen = tensors.linear("intermediate.dense", size_in=hidden, size_out=intermediate)
    inner = _write_activated_linear(writer, attended, widen, settings.activation)
    narrow = tensors.linear("output.dense", size_in=intermediate, size_out=hidden)
    norm = tensors.norm("output.LayerNorm", size=hidden)
    return _write_residual_norm(writer, inner, narrow, attended, norm, settings)


def _write_residual_norm(
    writer: GraphWriter, value: str, layer: Affine, residual: str, norm: Affine, settings: EncoderSettings
) -> str:
    """Write norm(layer(value) + residual)."""
    if not writer.fused:
        total = writer.node("Add", write_linear(writer, value, layer), residual)
        return write_norm(writer, total, norm, epsilon=settings.norm_epsilon)
    return writer.node(
        "SkipLayerNormalization",
        write_matrix_product(writer, value, layer),
        residual,
        writer.constant(f"{norm.name}.weight", norm.weight),
        writer.constant(f"{norm.name}.bias", norm.bias),
        writer.constant(f"{layer.name}.bias", layer.bias),
        epsilon=settings.norm_epsilon,
    )


def _write_activated_linear(writer: GraphWriter, value: str, layer: Affine, activation: str) -> str:
    if not (writer.fused and activation in EXACT_GELU):
        return write_activation(writer, write_linear(writer, value, layer), activation)
    product = write_matrix_product(writer, value, layer)
    return writer.node("BiasGelu", product, writer.constant(f"{layer.name}.bias", layer.bias))

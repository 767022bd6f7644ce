"""Plain multi-head attention and the stack of layers of BERT and RoBERTa."""

from __future__ import annotations

from labelwise.graphs.layer import (
    TokenInputs,
    write_context_rows,
    write_first_rows,
    write_head_projections,
    write_output_and_feed_forward,
)
from labelwise.graphs.nodes import GraphWriter
from labelwise.graphs.settings import EncoderSettings
from labelwise.graphs.tensors import Affine, CheckpointTensors
from labelwise.graphs.weighted import write_linear

__all__ = ["scaled", "write_attended", "write_first_query", "write_plain_layers", "write_single_query_scores"]


def write_plain_layers(
    writer: GraphWriter,
    tensors: CheckpointTensors,
    hidden: str,
    inputs: TokenInputs,
    settings: EncoderSettings,
    *,
    first_token_only: bool,
) -> str:
    """Write all layers; with ``first_token_only`` the last computes one row per text, ``[batch, hidden]``."""
    for number in range(settings.num_layers):
        layer = tensors.under(f"encoder.layer.{number}")
        is_last = number == settings.num_layers - 1
        rows_kept = write_first_rows(writer, inputs, hidden) if first_token_only and is_last else None
        context = _write_attention(writer, layer, hidden, rows_kept, inputs, settings)
        residual = hidden if rows_kept is None else rows_kept
        hidden = write_output_and_feed_forward(writer, layer, context, residual, settings)
    return hidden


def write_first_query(writer: GraphWriter, first_rows: str, query: Affine, settings: EncoderSettings) -> str:
    """Project only the first tokens: ``[batch, hidden]`` to ``[batch, heads, 1, head_size]``."""
    projected = write_linear(writer, first_rows, query)
    return writer.reshape(projected, -1, settings.num_heads, 1, settings.head_size)


def write_single_query_scores(writer: GraphWriter, query: str, keys: str) -> str:
    """Multiply one query per text with each key: ``[batch, heads, 1, tokens]``.

    onnxruntime's product of a single row rounds differently with the number of keys, padding included, which
    would move 8-bit activations behind it; a sum per key does not.

    Args:
        writer: the graph.
        query: ``[batch, heads, 1, head_size]``.
        keys: ``[batch, heads, tokens, head_size]``.
    """
    products = writer.node("Mul", keys, query)
    summed = writer.node("ReduceSum", products, writer.integers(3), keepdims=0)
    return writer.node("Unsqueeze", summed, writer.integers(2))


def write_attended(
    writer: GraphWriter,
    scores: str,
    values: str,
    inputs: TokenInputs,
    settings: EncoderSettings,
    *,
    is_single_query: bool,
) -> str:
    """Mask and normalise the scores, and mix the values by them: rows of ``hidden``."""
    weights = writer.node("Softmax", writer.node("Add", scores, inputs.mask_bias), axis=-1)
    if not is_single_query:
        return write_context_rows(writer, writer.node("MatMul", weights, values), settings)
    # The same trouble with a single row as above: two equal rows go through the ordinary product.
    twice = writer.node("Concat", weights, weights, axis=2)
    mixed = writer.node("MatMul", twice, values)
    once = writer.slice(mixed, writer.integers(0), writer.integers(1), axis=2)
    return write_context_rows(writer, once, settings)


def scaled(layer: Affine, factor: float) -> Affine:
    """Fold a factor into a linear layer."""
    return Affine(layer.name, layer.weight * factor, layer.bias * factor)


def _write_attention(
    writer: GraphWriter,
    layer: CheckpointTensors,
    hidden: str,
    first_rows: str | None,
    inputs: TokenInputs,
    settings: EncoderSettings,
) -> str:
    size = settings.hidden_size
    query, key, value = (
        layer.linear(f"attention.self.{name}", size_in=size, size_out=size)
        for name in ("query", "key", "value")
    )
    query = scaled(query, settings.head_size**-0.5)
    if first_rows is None:
        queries, keys, values = write_head_projections(writer, inputs, hidden, [query, key, value], settings)
        scores = writer.product_with_transposed(queries, keys, right_rank=4)
    else:
        keys, values = write_head_projections(writer, inputs, hidden, [key, value], settings)
        first_query = write_first_query(writer, first_rows, query, settings)
        scores = write_single_query_scores(writer, first_query, keys)
    is_single_query = first_rows is not None
    return write_attended(writer, scores, values, inputs, settings, is_single_query=is_single_query)

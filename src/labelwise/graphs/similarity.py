"""How alike a text and a label are by their words alone; see `labelwise.models.multitask.similarity`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from onnx import TensorProto

from labelwise.graphs.nodes import GraphWriter
from labelwise.graphs.settings import whole_number_in
from labelwise.graphs.tensors import CheckpointTensors
from labelwise.graphs.weighted import write_rows

__all__ = ["write_similarity"]

_LEAST_LENGTH: Final = 1e-6


def write_similarity(
    writer: GraphWriter, config: Mapping[str, Any], tensors: CheckpointTensors, positions: str
) -> str:
    """Write what is added to the labels' logits, ``[batch, labels]``.

    Args:
        writer: the graph, with its inputs ``input_ids`` and ``segment_ids``.
        config: the parsed config.json.
        tensors: all weights.
        positions: where each label's vector stands, ``[batch, labels]``, none below 0.
    """
    size = whole_number_in(config, "hidden_size")
    vocab_size = whole_number_in(config, "vocab_size")
    embeddings, own = tensors.under("encoder.embeddings"), tensors.under("similarity")
    table = embeddings.read("word_embeddings.weight", vocab_size, size)
    words = write_rows(writer, table, "input_ids", name=embeddings.full_name("word_embeddings.weight"))
    weights = writer.constant(own.full_name("token_weights"), own.read("token_weights", vocab_size))
    centered = writer.node("Sub", words, writer.constant(own.full_name("center"), own.read("center", size)))
    rarities = writer.node("Unsqueeze", writer.node("Gather", weights, "input_ids"), writer.integers(2))
    weighted = writer.node("Mul", centered, rarities)
    segments = writer.node("Unsqueeze", "segment_ids", writer.integers(1))
    of_label = writer.node("GatherElements", "segment_ids", positions, axis=1)
    text = _write_sum(writer, writer.node("Equal", segments, writer.index(0)), weighted)
    belongs = writer.node("Equal", writer.node("Unsqueeze", of_label, writer.integers(2)), segments)
    labels = _write_sum(writer, belongs, weighted)
    products = writer.node("ReduceSum", writer.node("Mul", text, labels), writer.integers(2), keepdims=0)
    lengths = [
        writer.node(
            "Max",
            writer.node("ReduceL2", side, writer.integers(2), keepdims=0),
            writer.number(_LEAST_LENGTH),
        )
        for side in (text, labels)
    ]
    cosine = writer.node("Div", products, writer.node("Mul", *lengths))
    scale = writer.constant(own.full_name("scale"), own.read("scale"))
    return writer.node("Mul", cosine, scale)


def _write_sum(writer: GraphWriter, belongs: str, weighted: str) -> str:
    """Add up the words that belong to each row of a mask ``[batch, n, tokens]``."""
    return writer.node("MatMul", writer.node("Cast", belongs, to=TensorProto.FLOAT), weighted)

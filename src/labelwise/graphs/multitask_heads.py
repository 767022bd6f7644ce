"""What stands on the encoder of the multi-task model: labels, entailment and answer spans at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from labelwise.graphs.layer import TokenInputs, write_first_rows
from labelwise.graphs.nodes import GraphWriter
from labelwise.graphs.settings import num_classes_in, whole_number_in
from labelwise.graphs.similarity import write_similarity
from labelwise.graphs.tensors import CheckpointTensors
from labelwise.graphs.weighted import write_linear, write_linear_float32

__all__ = ["write_multitask_logits"]

_MASKED: Final = 1e30


def write_multitask_logits(
    writer: GraphWriter,
    config: Mapping[str, Any],
    tensors: CheckpointTensors,
    hidden: str,
    inputs: TokenInputs,
) -> None:
    """Write the three heads on ``[batch * tokens, hidden]``; they cost next to nothing beside the encoder.

    ``label_positions`` int64 ``[batch, labels]`` is added to the inputs, at least one in each row, -1 for
    none.
    """
    size = whole_number_in(config, "hidden_size")
    states = writer.node("Reshape", hidden, writer.shape(inputs.batch, inputs.tokens, size))
    inner = whole_number_in(config, "label_head_size", at_least=1, default=192)
    positions = writer.node("Max", writer.label_input("label_positions"), writer.index(0))
    learnt = _write_label_logits(writer, tensors.under("classify_head"), states, positions, size, inner)
    similar = write_similarity(writer, config, tensors, positions)
    writer.output(writer.node("Add", learnt, similar), "label_logits", ["batch", "labels"])
    num_classes = num_classes_in(config)
    head = tensors.under("entail_head")
    first = write_linear(
        writer, write_first_rows(writer, inputs, hidden), head.linear("dense", size_in=size, size_out=size)
    )
    out = head.linear("out", size_in=size, size_out=num_classes)
    entail = write_linear_float32(writer, writer.node("Tanh", first), out)
    writer.output(entail, "entail_logits", ["batch", num_classes])
    _write_span_logits(writer, tensors, hidden, inputs, size)


def _write_label_logits(
    writer: GraphWriter,
    head: CheckpointTensors,
    states: str,
    positions: str,
    size: int,
    inner: int,
) -> str:
    """Score each label from its vector, its reading of the text, and their product."""
    places = writer.node("Unsqueeze", positions, writer.integers(2))
    labels = writer.node("GatherND", states, places, batch_dims=1)
    is_text = writer.node("Equal", "segment_ids", writer.index(0))
    bias = writer.node("Where", is_text, writer.number(0.0), writer.number(-_MASKED))
    products = writer.product_with_transposed(labels, states, right_rank=3)
    scores = writer.node("Mul", products, writer.number(size**-0.5))
    masked = writer.node("Add", scores, writer.node("Unsqueeze", bias, writer.integers(1)))
    texts = writer.node("MatMul", writer.node("Softmax", masked, axis=-1), states)
    features = writer.node("Concat", labels, texts, writer.node("Mul", labels, texts), axis=-1)
    rows = writer.reshape(features, -1, 3 * size)
    dense = write_linear(writer, rows, head.linear("dense", size_in=3 * size, size_out=inner))
    scored = write_linear_float32(
        writer, writer.node("Gelu", dense), head.linear("out", size_in=inner, size_out=1)
    )
    return writer.node("Reshape", scored, writer.node("Shape", positions))


def _write_span_logits(
    writer: GraphWriter, tensors: CheckpointTensors, hidden: str, inputs: TokenInputs, size: int
) -> None:
    layer = tensors.linear("answer_head", size_in=size, size_out=2)
    by_token = writer.node("Transpose", write_linear_float32(writer, hidden, layer), perm=[1, 0])
    by_row = writer.node("Reshape", by_token, writer.shape(2, inputs.batch, inputs.tokens))
    first_axis = writer.integers(0)
    for part, name in zip(writer.split(by_row, parts=2, axis=0), ("start_logits", "end_logits"), strict=True):
        writer.output(writer.node("Squeeze", part, first_axis), name, ["batch", "tokens"])

"""What stands on the encoder: scores per class, or start and end scores per token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelwise.graphs.activations import write_activation
from labelwise.graphs.layer import TokenInputs
from labelwise.graphs.nodes import GraphWriter
from labelwise.graphs.settings import activation_in, num_classes_in, whole_number_in
from labelwise.graphs.tensors import CheckpointTensors
from labelwise.graphs.weighted import write_linear_float32

__all__ = ["write_class_logits", "write_span_logits"]


def write_class_logits(
    writer: GraphWriter, config: Mapping[str, Any], tensors: CheckpointTensors, first_rows: str
) -> None:
    """Score the classes from each text's first token, ``[batch, hidden]``.

    Heads stay in float32: they are a hundredth of the weights and the last to round.
    """
    family = config["model_type"]
    size = whole_number_in(config, "hidden_size")
    num_classes = num_classes_in(config)
    activation = activation_in(config, "pooler_hidden_act") if family == "deberta-v2" else "tanh"
    pooler_name, classifier_name = {
        "deberta-v2": ("pooler.dense", "classifier"),
        "bert": ("bert.pooler.dense", "classifier"),
    }.get(family, ("classifier.dense", "classifier.out_proj"))
    classifier = tensors.linear(classifier_name, size_in=size, size_out=num_classes)
    pooler = tensors.linear(pooler_name, size_in=size, size_out=size)
    pooled = write_activation(writer, write_linear_float32(writer, first_rows, pooler), activation)
    logits = write_linear_float32(writer, pooled, classifier)
    writer.output(logits, "logits", ["batch", num_classes])


def write_span_logits(
    writer: GraphWriter,
    config: Mapping[str, Any],
    tensors: CheckpointTensors,
    hidden: str,
    inputs: TokenInputs,
) -> None:
    """Score each token, ``[batch * tokens, hidden]``, as an answer's start and as its end."""
    layer = tensors.linear("qa_outputs", size_in=whole_number_in(config, "hidden_size"), size_out=2)
    by_token = writer.node("Transpose", write_linear_float32(writer, hidden, layer), perm=[1, 0])
    by_row = writer.node("Reshape", by_token, writer.shape(2, inputs.batch, inputs.tokens))
    first_axis = writer.integers(0)
    for part, name in zip(writer.split(by_row, parts=2, axis=0), ("start_logits", "end_logits"), strict=True):
        writer.output(writer.node("Squeeze", part, first_axis), name, ["batch", "tokens"])

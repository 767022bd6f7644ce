"""What stands on the encoder of a joint model: one logit per label, for any number of labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from onnx import TensorProto

from labelwise.errors import CheckpointError
from labelwise.graphs.activations import write_activation
from labelwise.graphs.joint_scorers import SCORERS
from labelwise.graphs.layer import TokenInputs
from labelwise.graphs.nodes import GraphWriter
from labelwise.graphs.settings import activation_in, whole_number_in
from labelwise.graphs.tensors import CheckpointTensors
from labelwise.graphs.weighted import write_linear_float32

__all__ = ["write_joint_logits"]

_MASKED: Final = 1e30
_COSINE_FLOOR: Final = 1e-8
_MAX_COSINE_SCALE: Final = 100.0
_NORM_FLOOR: Final = 1e-8


@dataclass(frozen=True, slots=True)
class _States:
    """The encoder's last layer, ``[batch, tokens, size]``, and where each label's vector stands."""

    values: str
    size: int
    positions: str
    """Int64 ``[batch, labels]``; -1 where a row has fewer labels."""


def write_joint_logits(
    writer: GraphWriter,
    config: Mapping[str, Any],
    tensors: CheckpointTensors,
    hidden: str,
    inputs: TokenInputs,
    *,
    hidden_size: int,
) -> None:
    """Score every label of each row; absent labels get numbers without meaning.

    Args:
        writer: the graph.
        config: the joint model's config.json.
        tensors: all its weights.
        hidden: the encoder's output, ``[batch * tokens, hidden]``.
        inputs: the graph's inputs; ``label_positions`` int64 ``[batch, labels]`` is added to them, and for
            GliZNet ``text_mask`` int64 ``[batch, tokens]``.
        hidden_size: the encoder's width.

    Raises:
        CheckpointError: the head has an option that is not built.
    """
    values = writer.node("Reshape", hidden, writer.shape(inputs.batch, inputs.tokens, hidden_size))
    states = _States(values, hidden_size, writer.label_input("label_positions"))
    if config["model_type"] == "gliznet":
        logits = _write_gliznet(writer, config, tensors.under("aggregator.scoring"), states)
    else:
        logits = _write_gliclass(writer, config, tensors.under("model"), states, inputs)
    writer.output(logits, "logits", ["batch", "labels"])


def _write_gliznet(
    writer: GraphWriter, config: Mapping[str, Any], scoring: CheckpointTensors, states: _States
) -> str:
    labels = _write_gathered(writer, states, offset=0)
    is_text = writer.node("Cast", writer.token_input("text_mask"), to=TensorProto.FLOAT)
    bias = writer.node("Mul", writer.node("Sub", is_text, writer.number(1.0)), writer.number(_MASKED))
    products = writer.product_with_transposed(labels, states.values, right_rank=3)
    scores = writer.node("Mul", products, writer.number(states.size**-0.5))
    masked = writer.node("Add", scores, writer.node("Unsqueeze", bias, writer.integers(1)))
    texts = writer.node("MatMul", writer.node("Softmax", masked, axis=-1), states.values)
    method = config.get("scoring_method", "bilinear")
    if method == "bilinear":
        weight = scoring.read("bilinear.weight", 1, states.size, states.size)[0]
        turned = writer.node("MatMul", labels, writer.constant("scoring.weight", weight.T))
        added = writer.constant("scoring.bias", scoring.read("bilinear.bias", 1))
        return writer.node("Add", _write_products(writer, texts, turned), added)
    if method != "cosine":
        raise CheckpointError(f"config.json: scoring_method {method!r} has no graph here")
    scale = min(float(np.exp(scoring.read("logit_scale"))), _MAX_COSINE_SCALE)
    lengths = [writer.node("ReduceL2", side, writer.integers(2), keepdims=0) for side in (texts, labels)]
    floored = [writer.node("Max", length, writer.number(_COSINE_FLOOR)) for length in lengths]
    cosines = writer.node("Div", _write_products(writer, texts, labels), writer.node("Mul", *floored))
    return writer.node("Mul", cosines, writer.number(scale))


def _write_gliclass(
    writer: GraphWriter,
    config: Mapping[str, Any],
    tensors: CheckpointTensors,
    states: _States,
    inputs: TokenInputs,
) -> str:
    _refuse_unbuilt(config)
    has_own_vector = bool(config.get("embed_class_token", True))
    if config.get("class_token_pooling", "first") == "average":
        spans = _write_spans(writer, states, inputs, is_class_token_inside=has_own_vector)
        labels = _write_average(writer, states, spans)
    else:
        labels = _write_gathered(writer, states, offset=0 if has_own_vector else 1)
    text = _write_pooled_text(writer, config, states, inputs)
    labels = _write_projected(writer, config, tensors.under("classes_projector"), labels, states)
    text = _write_projected(writer, config, tensors.under("text_projector"), text, states)
    is_normal = bool(config.get("normalize_features", False))
    if is_normal:
        text, labels = _write_length_one(writer, text), _write_length_one(writer, labels)
    write_scores = SCORERS[config.get("scorer_type", "simple")]
    logits = write_scores(writer, tensors.under("scorer"), text, labels, size=states.size)
    if is_normal:
        scale = writer.constant("logit_scale", tensors.read("logit_scale"))
        logits = writer.node("Mul", logits, scale)
    return logits


def _refuse_unbuilt(config: Mapping[str, Any]) -> None:
    for key, default, known in (
        ("scorer_type", "simple", tuple(SCORERS)),
        ("pooling_strategy", "first", ("first", "avg", "max")),
        ("class_token_pooling", "first", ("first", "average")),
        ("encoder_layer_id", -1, (-1,)),
        ("extract_text_features", False, (False,)),
        ("use_lstm", False, (False,)),
        ("use_segment_embeddings", False, (False,)),
        ("squeeze_layers", False, (False,)),
        ("use_calibrator", False, (False,)),
    ):
        if config.get(key, default) not in known:
            raise CheckpointError(
                f"config.json: {key} {config[key]!r} has no graph here: use backend='torch'"
            )


def _write_gathered(writer: GraphWriter, states: _States, *, offset: int) -> str:
    """Take the states at the labels' places, ``[batch, labels, size]``; for absent labels the first."""
    places = writer.node("Max", states.positions, writer.index(0))
    if offset:
        places = writer.node("Add", places, writer.index(offset))
    indices = writer.node("Unsqueeze", places, writer.integers(2))
    return writer.node("GatherND", states.values, indices, batch_dims=1)


def _write_spans(
    writer: GraphWriter, states: _States, inputs: TokenInputs, *, is_class_token_inside: bool
) -> str:
    """Mark each label's tokens, from its own to the next label's; the last span ends with the row.

    Returns:
        Float32 ``[batch, labels, tokens]``.
    """
    starts = writer.node("Unsqueeze", states.positions, writer.integers(2))
    followers = writer.slice(
        states.positions, writer.integers(1), writer.integers(np.iinfo(np.int64).max), axis=1
    )
    row_end = writer.node("Expand", inputs.tokens, writer.shape(inputs.batch, 1))
    ends = writer.node("Concat", followers, row_end, axis=1)
    is_absent = writer.node("Less", ends, writer.index(0))
    ends = writer.node("Where", is_absent, inputs.tokens, ends)
    tokens = writer.node(
        "Range", writer.index(0), writer.node("Squeeze", inputs.tokens, writer.integers(0)), writer.index(1)
    )
    comparison = "GreaterOrEqual" if is_class_token_inside else "Greater"
    after_start = writer.node(comparison, tokens, starts)
    before_end = writer.node("Less", tokens, writer.node("Unsqueeze", ends, writer.integers(2)))
    inside = writer.node("Cast", writer.node("And", after_start, before_end), to=TensorProto.FLOAT)
    return writer.node("Mul", inside, writer.node("Unsqueeze", inputs.mask, writer.integers(1)))


def _write_average(writer: GraphWriter, states: _States, weights: str) -> str:
    """Average the states with weights ``[batch, n, tokens]`` of 0 and 1: ``[batch, n, size]``."""
    total = writer.node("MatMul", weights, states.values)
    counts = writer.node("ReduceSum", weights, writer.integers(2), keepdims=1)
    return writer.node("Div", total, writer.node("Max", counts, writer.number(1.0)))


def _write_pooled_text(
    writer: GraphWriter, config: Mapping[str, Any], states: _States, inputs: TokenInputs
) -> str:
    """Pool all tokens of a row into one vector, ``[batch, 1, size]``."""
    strategy = config.get("pooling_strategy", "first")
    if strategy == "first":
        return writer.slice(states.values, writer.integers(0), writer.integers(1), axis=1)
    if strategy == "avg":
        return _write_average(writer, states, writer.node("Unsqueeze", inputs.mask, writer.integers(1)))
    missing = writer.node("Sub", inputs.mask, writer.number(1.0))
    bias = writer.node("Unsqueeze", writer.node("Mul", missing, writer.number(_MASKED)), writer.integers(2))
    return writer.node("ReduceMax", writer.node("Add", states.values, bias), writer.integers(1), keepdims=1)


def _write_projected(
    writer: GraphWriter, config: Mapping[str, Any], tensors: CheckpointTensors, vectors: str, states: _States
) -> str:
    width = whole_number_in(config, "hidden_size", at_least=1, default=states.size)
    first = tensors.linear("linear_1", size_in=states.size, size_out=width)
    second = tensors.linear("linear_2", size_in=width, size_out=states.size)
    rows = write_linear_float32(writer, writer.reshape(vectors, -1, states.size), first)
    rows = write_activation(writer, rows, activation_in(config, "projector_hidden_act"))
    rows = write_linear_float32(writer, rows, second)
    return writer.node("Reshape", rows, writer.node("Shape", vectors))


def _write_length_one(writer: GraphWriter, vectors: str) -> str:
    lengths = writer.node("ReduceL2", vectors, writer.integers(2), keepdims=1)
    return writer.node("Div", vectors, writer.node("Add", lengths, writer.number(_NORM_FLOOR)))


def _write_products(writer: GraphWriter, left: str, right: str) -> str:
    return writer.node("ReduceSum", writer.node("Mul", left, right), writer.integers(2), keepdims=0)

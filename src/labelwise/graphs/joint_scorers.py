"""GLiClass's scorers: a text vector ``[batch, 1, size]`` against label vectors ``[batch, labels, size]``.

A layer over several vectors side by side is written as a sum of products, so that the text's part is
computed once and not once per label.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from labelwise.graphs.nodes import GraphWriter
from labelwise.graphs.tensors import Affine, CheckpointTensors

__all__ = ["SCORERS"]

# config.json's scorer_mlp_hidden_size never reaches this scorer in the published package.
_MLP_WIDTH: Final = 256


def _write_simple(
    writer: GraphWriter, tensors: CheckpointTensors, text: str, labels: str, *, size: int
) -> str:
    return writer.node("ReduceSum", writer.node("Mul", labels, text), writer.integers(2), keepdims=0)


def _write_mlp(writer: GraphWriter, tensors: CheckpointTensors, text: str, labels: str, *, size: int) -> str:
    first = tensors.linear("mlp.0", size_in=2 * size, size_out=_MLP_WIDTH)
    inner = tensors.linear("mlp.2", size_in=_MLP_WIDTH, size_out=_MLP_WIDTH // 2)
    last = tensors.linear("mlp.4", size_in=_MLP_WIDTH // 2, size_out=1)
    values = writer.node("Relu", _write_side_by_side(writer, first, (text, labels)))
    values = writer.node("Relu", _write_layer(writer, inner, values))
    return writer.node("Squeeze", _write_layer(writer, last, values), writer.integers(2))


def _write_weighted_dot(
    writer: GraphWriter, tensors: CheckpointTensors, text: str, labels: str, *, size: int
) -> str:
    views = []
    for name, vectors in (("proj_text", text), ("proj_label", labels)):
        layer = tensors.linear(name, size_in=size, size_out=2 * size)
        views.append(writer.split(_write_layer(writer, layer, vectors), parts=2, axis=2))
    (text_view, text_factor), (label_view, label_factor) = views
    first = tensors.linear("out_mlp.0", size_in=3 * size, size_out=4 * size)
    last = tensors.linear("out_mlp.3", size_in=4 * size, size_out=1)
    product = writer.node("Mul", text_factor, label_factor)
    values = writer.node("Relu", _write_side_by_side(writer, first, (text_view, label_view, product)))
    return writer.node("Squeeze", _write_layer(writer, last, values), writer.integers(2))


def _write_side_by_side(writer: GraphWriter, layer: Affine, parts: Sequence[str]) -> str:
    """Apply a layer to vectors that stand side by side, without joining them."""
    weights = np.split(layer.weight, len(parts), axis=1)
    total = writer.constant(f"{layer.name}.bias", layer.bias)
    for number, (part, weight) in enumerate(zip(parts, weights, strict=True)):
        constant = writer.constant(f"{layer.name}.weight.{number}", weight.T)
        total = writer.node("Add", writer.node("MatMul", part, constant), total)
    return total


def _write_layer(writer: GraphWriter, layer: Affine, vectors: str) -> str:
    return _write_side_by_side(writer, layer, (vectors,))


SCORERS: Final[Mapping[str, Callable[..., str]]] = {
    "simple": _write_simple,
    "mlp": _write_mlp,
    "weighted-dot": _write_weighted_dot,
}

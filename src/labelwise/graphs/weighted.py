"""Nodes that read weights: products with a matrix and rows of a table, in float32 or 8 bits."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from labelwise.graphs.nodes import GraphWriter
from labelwise.graphs.quantise import BLOCK_SIZE, ZERO_POINT, quantise_blocks, quantise_rows
from labelwise.graphs.tensors import Affine, FloatArray

__all__ = ["write_linear", "write_linear_float32", "write_matrix_product", "write_norm", "write_rows"]

_ACCURACY_INT8 = 4  # MatMulNBits: 8-bit activations, scaled per row and block


def write_linear(writer: GraphWriter, value: str, layer: Affine) -> str:
    """Apply a linear layer to ``[rows, in]`` in the graph's weight format."""
    if writer.weights == "int8" and writer.fused:
        return _write_bits_product(writer, value, layer.name, layer.weight, layer.bias)
    if writer.weights == "int8":
        product = write_matrix_product(writer, value, layer)
        return writer.node("Add", product, writer.constant(f"{layer.name}.bias", layer.bias))
    return write_linear_float32(writer, value, layer)


def write_linear_float32(writer: GraphWriter, value: str, layer: Affine) -> str:
    """Apply a linear layer to ``[rows, in]`` with float32 weights, whatever the graph's weight format."""
    weight = writer.constant(f"{layer.name}.weight", layer.weight.T)
    return writer.node("Gemm", value, weight, writer.constant(f"{layer.name}.bias", layer.bias))


def write_matrix_product(writer: GraphWriter, value: str, layer: Affine) -> str:
    """Apply a linear layer without its bias, which a fused operator adds later."""
    if writer.weights == "float32":
        return writer.node("MatMul", value, writer.constant(f"{layer.name}.weight", layer.weight.T))
    if writer.fused:
        return _write_bits_product(writer, value, layer.name, layer.weight, None)
    return writer.node("MatMul", value, _write_widened(writer, layer.name, layer.weight))


def write_norm(writer: GraphWriter, value: str, norm: Affine, *, epsilon: float) -> str:
    """Normalise the last axis."""
    weight = writer.constant(f"{norm.name}.weight", norm.weight)
    bias = writer.constant(f"{norm.name}.bias", norm.bias)
    return writer.node("LayerNormalization", value, weight, bias, axis=-1, epsilon=epsilon)


def write_rows(writer: GraphWriter, table: FloatArray, indices: str, *, name: str, axis: int = 0) -> str:
    """Take rows of a table by index; in 8 bits only the rows that are taken become float32."""
    if writer.weights == "float32":
        return writer.node("Gather", writer.constant(name, table), indices, axis=axis)
    integers, scales = quantise_rows(table)
    rows = writer.node("Gather", writer.constant(f"{name}.int8", integers), indices, axis=axis)
    row_scales = writer.node("Gather", writer.constant(f"{name}.scales", scales), indices, axis=axis)
    return writer.node("Mul", writer.node("Cast", rows, to=TensorProto.FLOAT), row_scales)


def _write_bits_product(
    writer: GraphWriter, value: str, name: str, weight: FloatArray, bias: FloatArray | None
) -> str:
    size_out, size_in = weight.shape
    integers, scales = quantise_blocks(weight, BLOCK_SIZE)
    inputs = [
        value,
        writer.constant(f"{name}.weight.uint8", integers),
        writer.constant(f"{name}.weight.scales", scales),
    ]
    if bias is not None:
        inputs += ["", "", writer.constant(f"{name}.bias", bias)]
    return writer.node(
        "MatMulNBits",
        *inputs,
        K=size_in,
        N=size_out,
        bits=8,
        block_size=BLOCK_SIZE,
        accuracy_level=_ACCURACY_INT8,
    )


def _write_widened(writer: GraphWriter, name: str, weight: FloatArray) -> str:
    """Widen 8-bit weights to a float32 matrix ``[in, out]`` with standard operators."""
    size_in = weight.shape[1]
    integers, scales = quantise_blocks(weight, BLOCK_SIZE)
    signed = (integers.astype(np.int16) - ZERO_POINT).astype(np.int8)
    widened = writer.node("Cast", writer.constant(f"{name}.weight.int8", signed), to=TensorProto.FLOAT)
    scaled = writer.node("Mul", widened, writer.constant(f"{name}.weight.scales", scales[..., None]))
    flat = writer.reshape(scaled, weight.shape[0], -1)
    exact = writer.slice(flat, writer.integers(0), writer.integers(size_in), axis=1)
    return writer.node("Transpose", exact, perm=[1, 0])

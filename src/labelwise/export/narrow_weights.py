"""Weights in 8 or 4 bits or bfloat16, part by part; the arithmetic around them stays float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from labelwise.export.four_bits import pack_four_bits
from labelwise.export.parts import EMBEDDINGS, HEAD, is_rows_lookup, parts_of_nodes, sizes_of
from labelwise.export.surgery import GraphEditor, attribute_of
from labelwise.graphs.quantise import BLOCK_SIZE, ZERO_POINT, quantise_blocks, quantise_rows

__all__ = ["ProductForm", "in_bfloat16", "in_few_bits"]

ProductForm = Literal["nbits", "widened"]
_ACCURACY_INT8: Final = 4  # MatMulNBits: 8-bit activations, scaled per row and block
_MICROSOFT: Final = "com.microsoft"


def in_few_bits(
    model: onnx.ModelProto, *, bits: int, form: ProductForm = "nbits", kept: frozenset[str] = frozenset()
) -> onnx.ModelProto:
    """Store the layers' matrices in blocks of 8 or 4 bits and tables of rows in 8 bits, each row its scale.

    Heads stay in float32: they are a hundredth of the weights and the last to round.

    Args:
        model: a float32 graph.
        bits: 8 or 4.
        form: "nbits" multiplies in few bits (onnxruntime's MatMulNBits, which its web build has too);
            "widened" widens the weights with standard operators, for other runtimes (8 bits only).
        kept: parts that stay as they are.
    """
    editor = GraphEditor.of(model)
    weights, parts = sizes_of(model), parts_of_nodes(model)
    for node in model.graph.node:
        part = parts.get(node.output[0], HEAD) if node.output else HEAD
        if part in kept:
            editor.keep(node)
        elif is_rows_lookup(node, weights):
            _write_lookup(editor, node)
        elif part in (HEAD, EMBEDDINGS) or not _is_product(node, editor):
            editor.keep(node)
        elif form == "nbits":
            _write_nbits_product(editor, node, bits=bits)
        else:
            _write_widened_product(editor, node)
    return editor.finish()


def in_bfloat16(model: onnx.ModelProto, *, kept: frozenset[str] = frozenset()) -> onnx.ModelProto:
    """Store weights as bfloat16 and widen them where they are read: few CPUs calculate in bfloat16."""
    editor = GraphEditor.of(model)
    weights, parts = sizes_of(model), parts_of_nodes(model)
    widened: dict[str, str] = {}
    for node in model.graph.node:
        if (parts.get(node.output[0], HEAD) if node.output else HEAD) in kept:
            editor.keep(node)
            continue
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        for place, name in enumerate(node.input):
            if name in weights and _is_float32(editor, name):
                copy.input[place] = widened.get(name) or _write_bfloat16(editor, name)
                widened[name] = copy.input[place]
        editor.keep(copy)
    return editor.finish()


def _write_bfloat16(editor: GraphEditor, name: str) -> str:
    array = editor.array(name)
    assert array is not None
    raw = np.ascontiguousarray(array).view(np.uint32).astype(np.uint64)
    halves = ((raw + 0x7FFF + ((raw >> 16) & 1)) >> 16).astype(np.uint16)  # to the nearest, ties to even
    stored = f"{name}.bfloat16"
    editor.store_tensor(
        helper.make_tensor(stored, TensorProto.BFLOAT16, array.shape, halves.tobytes(), raw=True)
    )
    return editor.add("Cast", [stored], f"{name}.widened", to=TensorProto.FLOAT)


def _is_float32(editor: GraphEditor, name: str) -> bool:
    return bool(editor.constants[name].data_type == TensorProto.FLOAT)


def _is_product(node: onnx.NodeProto, editor: GraphEditor) -> bool:
    """Tell whether a node multiplies a computed value with a stored matrix."""
    if node.op_type not in ("MatMul", "Gemm") or node.input[1] not in editor.constants:
        return False
    if node.input[0] in editor.constants or attribute_of(node, "transA"):
        return False
    is_plain = all((attribute_of(node, name) or 1.0) == 1.0 for name in ("alpha", "beta"))
    return is_plain and len(editor.constants[node.input[1]].dims) == 2 and _is_float32(editor, node.input[1])


def _matrix(editor: GraphEditor, node: onnx.NodeProto) -> NDArray[np.float32]:
    """Return a product's weight as ``[out, in]``."""
    weight = editor.array(node.input[1])
    assert weight is not None
    return np.ascontiguousarray(weight if attribute_of(node, "transB") else weight.T)


def _bias(node: onnx.NodeProto) -> list[str]:
    return list(node.input[2:3]) if node.op_type == "Gemm" else []


def _write_nbits_product(editor: GraphEditor, node: onnx.NodeProto, *, bits: int) -> None:
    weight, name = _matrix(editor, node), f"{node.input[1]}.bits{bits}"
    pack: Callable[..., tuple[NDArray[Any], NDArray[np.float32]]]
    pack = quantise_blocks if bits == 8 else pack_four_bits
    packed, scales = pack(weight, BLOCK_SIZE)
    output, bias = node.output[0], _bias(node)
    product = f"{output}/product" if bias else output
    editor.add(
        "MatMulNBits",
        [node.input[0], editor.store(name, packed), editor.store(f"{name}.scales", scales)],
        product,
        domain=_MICROSOFT,
        K=weight.shape[1],
        N=weight.shape[0],
        bits=bits,
        block_size=BLOCK_SIZE,
        accuracy_level=_ACCURACY_INT8,
    )
    if bias:
        editor.add("Add", [product, *bias], output)


def _write_widened_product(editor: GraphEditor, node: onnx.NodeProto) -> None:
    weight, name = _matrix(editor, node), node.input[1]
    size_out, size_in = weight.shape
    bytes_, scales = quantise_blocks(weight, BLOCK_SIZE)
    signed = (bytes_.astype(np.int16) - ZERO_POINT).astype(np.int8)
    stored = editor.store(f"{name}.int8", signed)
    factors = editor.store(f"{name}.int8.scales", scales[..., None])
    shape = editor.store(
        f"int64_{size_out}_{signed.shape[1] * BLOCK_SIZE}", np.array([size_out, -1], np.int64)
    )
    output, bias = node.output[0], _bias(node)
    wide = editor.add("Cast", [stored], f"{output}/wide", to=TensorProto.FLOAT)
    scaled = editor.add("Mul", [wide, factors], f"{output}/scaled")
    matrix = editor.add("Reshape", [scaled, shape], f"{output}/matrix")
    if size_in % BLOCK_SIZE:
        bounds = [
            editor.store(f"int64_vector_{number}", np.array([number], np.int64)) for number in (0, size_in, 1)
        ]
        matrix = editor.add("Slice", [matrix, *bounds], f"{output}/cut")
    turned = editor.add("Transpose", [matrix], f"{output}/turned", perm=[1, 0])
    product = f"{output}/product" if bias else output
    editor.add("MatMul", [node.input[0], turned], product)
    if bias:
        editor.add("Add", [product, *bias], output)


def _write_lookup(editor: GraphEditor, node: onnx.NodeProto) -> None:
    """Take rows in 8 bits with their scales; only the rows that are taken become float32."""
    table = editor.array(node.input[0])
    if table is None or table.dtype != np.float32:
        editor.keep(node)
        return
    name, output, axis = node.input[0], node.output[0], attribute_of(node, "axis") or 0
    integers, scales = quantise_rows(table)
    stored, factors = editor.store(f"{name}.int8", integers), editor.store(f"{name}.int8.scales", scales)
    rows = editor.add("Gather", [stored, node.input[1]], f"{output}/rows", axis=axis)
    row_scales = editor.add("Gather", [factors, node.input[1]], f"{output}/scales", axis=axis)
    wide = editor.add("Cast", [rows], f"{output}/wide", to=TensorProto.FLOAT)
    editor.add("Mul", [wide, row_scales], output)

"""A float32 graph in float16: weights and arithmetic, but for what float16 cannot do."""

from __future__ import annotations

from typing import Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from labelwise.export.parts import HEAD, parts_of_nodes, sizes_of
from labelwise.export.surgery import GraphEditor, attribute_of, is_float_output

__all__ = ["in_float16", "position_arithmetic"]

# Masks hold the lowest float32; far below every score is enough, and what float16 holds.
_LARGEST: Final = 1e4
_ENDING: Final = {TensorProto.FLOAT: "as_float32", TensorProto.FLOAT16: "as_float16"}


def position_arithmetic(model: onnx.ModelProto) -> frozenset[str]:
    """Name, by first output, the nodes that no weight has reached: masks, angles, buckets of distances.

    Float16 holds whole numbers to 2048 and puts distances beyond 256 into the wrong buckets, so these stay
    in float32; they are small.
    """
    weights = sizes_of(model)
    reached: set[str] = set()
    untouched = set()
    for node in model.graph.node:
        if any(name in reached or name in weights for name in node.input):
            reached.update(node.output)
        elif node.output:
            untouched.add(node.output[0])
    return frozenset(untouched)


def in_float16(
    model: onnx.ModelProto, *, kept: frozenset[str] = frozenset(), float32_nodes: frozenset[str] = frozenset()
) -> onnx.ModelProto:
    """Convert a graph to float16; inputs and outputs keep their types.

    Args:
        model: a graph whose only float type is float32.
        kept: parts that stay in float32.
        float32_nodes: more nodes that do, by first output; see `position_arithmetic`.
    """
    editor = GraphEditor.of(model)
    return _Conversion(editor, parts_of_nodes(model), kept, float32_nodes).run()


class _Conversion:
    """Walks the nodes in order and gives each its inputs in the type that it calculates in."""

    def __init__(
        self, editor: GraphEditor, parts: dict[str, str], kept: frozenset[str], float32_nodes: frozenset[str]
    ) -> None:
        self._editor = editor
        self._parts = parts
        self._kept = kept
        self._float32_nodes = float32_nodes
        graph = editor.model.graph
        self._outputs = {value.name for value in graph.output}
        # Every float value's type as it now is; whole numbers are left out.
        self._types = {
            value.name: TensorProto.FLOAT
            for value in graph.input
            if value.type.tensor_type.elem_type == TensorProto.FLOAT
        }
        self._types |= {
            name: TensorProto.FLOAT
            for name, tensor in editor.constants.items()
            if tensor.data_type == TensorProto.FLOAT
        }
        self._floats = set(self._types)
        self._casts: dict[tuple[str, int], str] = {}

    def run(self) -> onnx.ModelProto:
        for node in self._editor.model.graph.node:
            self._write(node)
        return self._editor.finish()

    def _write(self, original: onnx.NodeProto) -> None:
        node = onnx.NodeProto()
        node.CopyFrom(original)
        kind = TensorProto.FLOAT if self._stays(node) else TensorProto.FLOAT16
        gives_floats = is_float_output(node, self._floats)
        node.input[:] = [self._as(name, kind) for name in node.input]
        if gives_floats:
            self._floats.update(node.output)
            self._types.update(dict.fromkeys(node.output, kind))
            _retype(node, kind)
        public = [name for name in node.output if name in self._outputs]
        if not (gives_floats and public and kind == TensorProto.FLOAT16):
            self._editor.keep(node)
            return
        node.output[:] = [f"{name}/half" if name in public else name for name in node.output]
        self._editor.keep(node)
        for name in public:
            self._editor.add("Cast", [f"{name}/half"], name, to=TensorProto.FLOAT)
            self._types[name] = TensorProto.FLOAT

    def _stays(self, node: onnx.NodeProto) -> bool:
        first = node.output[0] if node.output else ""
        return self._parts.get(first, HEAD) in self._kept or first in self._float32_nodes

    def _as(self, name: str, kind: int) -> str:
        """Return a float value in a type, casting it once; other values as they are."""
        if self._types.get(name, kind) == kind:
            return name if name not in self._editor.constants else self._constant(name, kind)
        if name in self._editor.constants:
            return self._constant(name, kind)
        if (name, kind) not in self._casts:
            cast = self._editor.add("Cast", [name], f"{name}/{_ENDING[kind]}", to=kind)
            self._casts[name, kind] = cast
        return self._casts[name, kind]

    def _constant(self, name: str, kind: int) -> str:
        array = self._editor.array(name)
        if array is None or name not in self._types:
            return name
        if np.issubdtype(array.dtype, np.floating) and array.size:
            array = np.clip(array, -_LARGEST, _LARGEST)
        if kind == TensorProto.FLOAT:
            return self._editor.store(f"{name}.float32", array)
        return self._editor.store(f"{name}.float16", array.astype(np.float16))


def _retype(node: onnx.NodeProto, kind: int) -> None:
    """Make a node that makes floats out of nothing, or out of integers, give them in a type."""
    if node.op_type == "Cast":
        del node.attribute[:]
        node.attribute.append(helper.make_attribute("to", kind))
    elif node.op_type == "ConstantOfShape":
        value = attribute_of(node, "value")
        number = numpy_helper.to_array(value) if value is not None else np.zeros(1, np.float32)
        dtype = np.float32 if kind == TensorProto.FLOAT else np.float16
        filled = np.clip(number, -_LARGEST, _LARGEST).astype(dtype)
        del node.attribute[:]
        node.attribute.append(helper.make_attribute("value", numpy_helper.from_array(filled)))

"""Reading and changing a finished ONNX graph: types of values, constants, and where new nodes go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from labelwise.errors import BackendError

__all__ = ["GraphEditor", "attribute_of", "is_float_output", "without_notes", "without_stored_transposes"]

_TO_INTEGER: Final = frozenset({"Shape", "Size", "ArgMax", "ArgMin", "NonZero"})
_TO_BOOLEAN: Final = frozenset(
    {"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or", "Not", "IsNaN", "IsInf", "Xor"}
)


_NEWEST_IR_VERSION: Final = 10  # what onnxruntime 1.20 and its web build of that time read


@dataclass(slots=True)
class GraphEditor:
    """A copy of a model that is rewritten node by node.

    Nodes are given out in their order; what takes their place is collected by `add`, and `finish` puts the
    graph together again. Constants that no node reads any more are left out.
    """

    model: onnx.ModelProto
    constants: dict[str, onnx.TensorProto]
    nodes: list[onnx.NodeProto] = field(default_factory=list)

    @classmethod
    def of(cls, model: onnx.ModelProto) -> GraphEditor:
        """Start on a model, which stays as it is.

        Raises:
            BackendError: the graph has branches or functions, whose insides are not looked into.
        """
        if model.functions or any(
            attribute.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS)
            for node in model.graph.node
            for attribute in node.attribute
        ):
            raise BackendError(
                "the graph has branches or functions, which are not rewritten: export it in fp32"
            )
        constants = {tensor.name: tensor for tensor in model.graph.initializer}
        return cls(model, constants)

    def array(self, name: str) -> NDArray[Any] | None:
        """Return a stored constant by name; None for a value that is computed."""
        tensor = self.constants.get(name)
        return None if tensor is None else numpy_helper.to_array(tensor)

    def store(self, name: str, array: NDArray[Any]) -> str:
        """Store a constant, once."""
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def store_tensor(self, tensor: onnx.TensorProto) -> str:
        """Store a constant of a type that numpy does not have."""
        self.constants.setdefault(tensor.name, tensor)
        return str(tensor.name)

    def add(
        self, operator: str, inputs: Iterable[str], output: str, *, domain: str = "", **attributes: Any
    ) -> str:
        """Write a node."""
        self.nodes.append(
            helper.make_node(
                operator, list(inputs), [output], name=f"{output}/{operator}", domain=domain, **attributes
            )
        )
        return output

    def keep(self, node: onnx.NodeProto) -> None:
        """Write a node that is there already."""
        self.nodes.append(node)

    def finish(self) -> onnx.ModelProto:
        """Return the rewritten model."""
        read = {name for node in self.nodes for name in node.input}
        read |= {value.name for value in self.model.graph.output}
        domains = {entry.domain: entry.version for entry in self.model.opset_import}
        if any(node.domain == "com.microsoft" for node in self.nodes):
            domains.setdefault("com.microsoft", 1)
        graph = helper.make_graph(
            self.nodes,
            self.model.graph.name,
            list(self.model.graph.input),
            list(self.model.graph.output),
            [tensor for name, tensor in self.constants.items() if name in read],
        )
        return helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid(name, version) for name, version in domains.items()],
            ir_version=min(self.model.ir_version, _NEWEST_IR_VERSION),
            producer_name="labelwise",
        )


def is_float_output(node: onnx.NodeProto, floats: set[str]) -> bool:
    """Tell whether a node's outputs are float32, given which values before it are.

    Args:
        node: of a graph whose only float type is float32.
        floats: names of the float32 values that are known so far.
    """
    operator = node.op_type
    if operator in _TO_INTEGER or operator in _TO_BOOLEAN:
        return False
    if operator == "Cast":
        return bool(attribute_of(node, "to") == TensorProto.FLOAT)
    if operator in ("Constant", "ConstantOfShape"):
        value = attribute_of(node, "value")
        if value is not None:
            return bool(value.data_type == TensorProto.FLOAT)
        return operator == "ConstantOfShape" or attribute_of(node, "value_float") is not None
    decisive = 1 if operator == "Where" else 0
    return len(node.input) > decisive and node.input[decisive] in floats


def attribute_of(node: onnx.NodeProto, name: str) -> Any:
    """Return an attribute's value; None when the node does not have it."""
    found = next((entry for entry in node.attribute if entry.name == name), None)
    return None if found is None else helper.get_attribute_value(found)


def without_notes(model: onnx.ModelProto) -> onnx.ModelProto:
    """Take out what torch's exporter notes on nodes: stack traces can outweigh a small model."""
    stripped = onnx.ModelProto()
    stripped.CopyFrom(model)
    for node in stripped.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    return stripped


def without_stored_transposes(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store transposed weights as such, and constants that are nodes as constants.

    torch's exporter leaves the transposition of large weights, which two products share, in the graph; a pass
    that looks for products with a constant would miss them.
    """
    editor = GraphEditor.of(model)
    renamed: dict[str, str] = {}
    for original in model.graph.node:
        node = onnx.NodeProto()
        node.CopyFrom(original)
        node.input[:] = [renamed.get(name, name) for name in node.input]
        stored = editor.array(node.input[0]) if node.input else None
        if node.op_type == "Constant" and (tensor := attribute_of(node, "value")) is not None:
            editor.store(node.output[0], numpy_helper.to_array(tensor))
        elif node.op_type == "Transpose" and stored is not None:
            order = attribute_of(node, "perm")
            # Its own name stays in front: it tells which part of the model the weight belongs to.
            renamed[node.output[0]] = editor.store(f"{node.input[0]}.turned", stored.transpose(order))
        else:
            editor.keep(node)
    return editor.finish()

"""Writing one ONNX graph, node by node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from labelwise.graphs.families import WeightFormat

__all__ = ["IR_VERSION", "OPSET", "GraphWriter"]

OPSET: Final = 20  # the first with Gelu
IR_VERSION: Final = 10  # the newest that onnxruntime 1.20 reads

_MICROSOFT: Final = "com.microsoft"
_MICROSOFT_OPERATORS: Final = frozenset({"BiasGelu", "FusedMatMul", "MatMulNBits", "SkipLayerNormalization"})


class GraphWriter:
    """Collects the nodes and constants of one graph; every value is known by its name, a plain string."""

    def __init__(self, *, fused: bool = True, weights: WeightFormat = "float32") -> None:
        self.fused = fused
        self.weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def token_input(self, name: str) -> str:
        """Add an int64 input of shape ``[batch, tokens]``."""
        self._inputs.append(helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"]))
        return name

    def label_input(self, name: str) -> str:
        """Add an int64 input of shape ``[batch, labels]``."""
        self._inputs.append(helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "labels"]))
        return name

    def output(self, value: str, name: str, shape: Sequence[int | str]) -> None:
        """Make a float32 value an output of the graph under its public name."""
        self._nodes.append(helper.make_node("Identity", [value], [name], name=f"Output_{name}"))
        self._outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape)))

    def constant(self, name: str, array: NDArray[Any]) -> str:
        """Store an array; a name can be stored only once, except with the very same small content."""
        proto = numpy_helper.from_array(np.asarray(array, order="C"), name)
        if name in self._constants and self._constants[name] != proto:
            raise ValueError(f"two different constants are called {name!r}")
        self._constants[name] = proto
        return name

    def integers(self, *values: int) -> str:
        """Store a one-dimensional int64 constant: axes, bounds, parts of a shape."""
        name = "int64_" + "_".join(str(value) for value in values)
        return self.constant(name, np.array(values, np.int64))

    def number(self, value: float) -> str:
        """Store a float32 scalar."""
        return self.constant(f"float32_{value!r}", np.array(value, np.float32))

    def index(self, value: int) -> str:
        """Store an int64 scalar."""
        return self.constant(f"index_{value}", np.array(value, np.int64))

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        return self._add(operator, inputs, 1, attributes)[0]

    def split(self, value: str, *, parts: int, axis: int) -> list[str]:
        """Cut a value into equal parts along an axis."""
        return self._add("Split", (value,), parts, {"axis": axis, "num_outputs": parts})

    def shape(self, *parts: str | int) -> str:
        """Join one-element int64 values and numbers to a shape for Reshape."""
        return self.node("Concat", *(self.integers(p) if isinstance(p, int) else p for p in parts), axis=0)

    def reshape(self, value: str, *sizes: int) -> str:
        """Reshape to fixed sizes; 0 keeps a size, -1 takes what is left."""
        return self.node("Reshape", value, self.integers(*sizes))

    def slice(self, value: str, start: str, end: str, *, axis: int) -> str:
        """Cut ``[start, end)`` of one axis; both bounds are one-element int64 values."""
        return self.node("Slice", value, start, end, self.integers(axis))

    def product_with_transposed(self, left: str, right: str, *, right_rank: int) -> str:
        """Multiply with the transposed last two axes of the right side."""
        if self.fused:
            return self.node("FusedMatMul", left, right, transB=1)
        axes = list(range(right_rank))
        swapped = self.node("Transpose", right, perm=[*axes[:-2], axes[-1], axes[-2]])
        return self.node("MatMul", left, swapped)

    def model(self) -> onnx.ModelProto:
        """Close the graph."""
        graph = helper.make_graph(
            self._nodes, "labelwise", self._inputs, self._outputs, list(self._constants.values())
        )
        domains = [helper.make_opsetid("", OPSET)]
        if any(node.domain == _MICROSOFT for node in self._nodes):
            domains.append(helper.make_opsetid(_MICROSOFT, 1))
        return helper.make_model(
            graph, opset_imports=domains, ir_version=IR_VERSION, producer_name="labelwise"
        )

    def _add(
        self, operator: str, inputs: Sequence[str], num_outputs: int, attributes: dict[str, Any]
    ) -> list[str]:
        name = f"{operator}_{len(self._nodes)}"
        outputs = [name] if num_outputs == 1 else [f"{name}_{part}" for part in range(num_outputs)]
        domain = _MICROSOFT if operator in _MICROSOFT_OPERATORS else ""
        self._nodes.append(
            helper.make_node(operator, inputs, outputs, name=name, domain=domain, **attributes)
        )
        return outputs

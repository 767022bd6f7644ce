"""The machine's float32 matrix-product rate on a model's own shapes, as the yardstick of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from labelwise.backends.onnx import start_session

__all__ = ["MatrixProducts"]

_MOST_TOKENS: Final = 2048
_REPEATS: Final = 4


@dataclass(frozen=True, slots=True)
class MatrixProducts:
    """Dense products by onnxruntime, each weight laid out for it beforehand.

    Attributes:
        sessions: one per shape, with what it multiplies.
        num_operations: of one run, a multiplication and an addition being two.
    """

    sessions: Sequence[tuple[Any, NDArray[np.float32]]]
    num_operations: float

    @classmethod
    def of_shapes(
        cls, shapes: Sequence[tuple[int, int]], *, num_tokens: int, threads: int | None = None
    ) -> MatrixProducts:
        """Prepare [tokens, inputs] x [inputs, outputs] for each shape; 2,048 tokens at most."""
        tokens = max(1, min(num_tokens, _MOST_TOKENS))
        random = np.random.default_rng(0)
        sessions = []
        for inputs, outputs in shapes:
            weight = random.standard_normal((inputs, outputs), dtype=np.float32)
            states = random.standard_normal((tokens, inputs), dtype=np.float32)
            sessions.append((start_session(_graph(weight), threads=threads), states))
        operations = _REPEATS * sum(2.0 * tokens * inputs * outputs for inputs, outputs in shapes)
        return cls(sessions, operations)

    def run(self) -> None:
        """Multiply all, several times over."""
        for _ in range(_REPEATS):
            for session, states in self.sessions:
                session.run(None, {"states": states})


def _graph(weight: NDArray[np.float32]) -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    inputs, outputs = weight.shape
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["states", "weight"], ["product"])],
        "matrix_product",
        [helper.make_tensor_value_info("states", TensorProto.FLOAT, ["tokens", inputs])],
        [helper.make_tensor_value_info("product", TensorProto.FLOAT, ["tokens", outputs])],
        [numpy_helper.from_array(weight, "weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())

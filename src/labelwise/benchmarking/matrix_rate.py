"""The machine's float32 matrix-product rate on a model's own shapes, as the yardstick of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from labelwise.backends.cores import available_cores
from labelwise.backends.onnx import start_session
from labelwise.benchmarking.timing import Timing
from labelwise.engine.library import has_library
from labelwise.engine.native import EncoderShape, NativeEncoder

__all__ = ["MatrixProducts"]

_MOST_TOKENS: Final = 2048
_REPEATS: Final = 4

FloatArray = NDArray[np.float32]
Product = Callable[[FloatArray], object]


@dataclass(frozen=True, slots=True)
class MatrixProducts:
    """The same dense products by every library that is here, each weight laid out for it beforehand.

    No library is the fastest everywhere, and what the machine can do is what the fastest of them does.

    Attributes:
        runs: library -> multiplies all, several times over.
        num_operations: of one run, a multiplication and an addition being two.
    """

    runs: Mapping[str, Callable[[], object]]
    num_operations: float

    @classmethod
    def of_shapes(
        cls, shapes: Sequence[tuple[int, int]], *, num_tokens: int, threads: int | None = None
    ) -> MatrixProducts:
        """Prepare [tokens, inputs] x [inputs, outputs] for each shape; 2,048 tokens at most."""
        tokens = max(1, min(num_tokens, _MOST_TOKENS))
        random = np.random.default_rng(0)
        weights = [random.standard_normal(shape, dtype=np.float32) for shape in shapes]
        states = [random.standard_normal((tokens, inputs), dtype=np.float32) for inputs, _ in shapes]
        products = {"onnxruntime": _by_onnxruntime(weights, threads)}
        # numpy takes every core, which is no measure of fewer threads.
        if threads in (None, available_cores()):
            products["numpy"] = [_numpy_product(weight) for weight in weights]
        if has_library():
            products["engine"] = _by_engine(weights, threads)
        operations = _REPEATS * sum(2.0 * tokens * inputs * outputs for inputs, outputs in shapes)
        return cls({name: _repeated(parts, states) for name, parts in products.items()}, operations)

    def rate(self, timings: Mapping[str, Timing]) -> float:
        """Return the operations per second of the fastest library, by its median turn."""
        return max(self.num_operations / timings[name].median_s for name in self.runs)


def _repeated(products: Sequence[Product], states: Sequence[FloatArray]) -> Callable[[], object]:
    def run() -> None:
        for _ in range(_REPEATS):
            for product, rows in zip(products, states, strict=True):
                product(rows)

    return run


def _numpy_product(weight: FloatArray) -> Product:
    return lambda rows: rows @ weight


def _by_engine(weights: Sequence[FloatArray], threads: int | None) -> list[Product]:
    # An encoder that is never run carries the weights on top of it.
    shape = EncoderShape(
        hidden_size=8, num_heads=1, intermediate_size=8, num_layers=1, norm_epsilon=1e-7,
        num_top_layers=len(weights),
    )  # fmt: skip
    encoder = NativeEncoder(shape, threads=threads or available_cores())
    for number, weight in enumerate(weights):
        encoder.set_top(number, weight.T, np.zeros(weight.shape[1], dtype=np.float32))
    return [_engine_product(encoder, number) for number in range(len(weights))]


def _engine_product(encoder: NativeEncoder, number: int) -> Product:
    return lambda rows: encoder.apply_top(number, rows)


def _by_onnxruntime(weights: Sequence[FloatArray], threads: int | None) -> list[Product]:
    return [_session_product(start_session(_graph(weight), threads=threads)) for weight in weights]


def _session_product(session: Any) -> Product:
    return lambda rows: session.run(None, {"states": rows})


def _graph(weight: FloatArray) -> bytes:
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

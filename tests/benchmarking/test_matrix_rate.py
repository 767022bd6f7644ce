import numpy as np
import pytest

from labelwise.backends.cores import available_cores
from labelwise.benchmarking import matrix_rate
from labelwise.benchmarking.matrix_rate import MatrixProducts
from labelwise.benchmarking.timing import Timing
from labelwise.engine.library import has_library

SHAPES = [(24, 40), (40, 8)]


def test_all_libraries_that_are_here_take_part():
    libraries = {"onnxruntime", "numpy", *(["engine"] if has_library() else [])}
    products = MatrixProducts.of_shapes(SHAPES, num_tokens=30, threads=available_cores())
    assert products.runs.keys() == libraries
    assert products.num_operations == 4 * 2 * 30 * (24 * 40 + 40 * 8)
    for run in products.runs.values():
        run()


def test_a_missing_engine_is_left_out(monkeypatch):
    monkeypatch.setenv("LABELWISE_NO_ENGINE", "1")
    assert "engine" not in MatrixProducts.of_shapes(SHAPES, num_tokens=3).runs


def test_numpy_does_not_measure_fewer_threads_than_it_takes():
    products = MatrixProducts.of_shapes(SHAPES, num_tokens=3, threads=available_cores() + 1)
    assert "numpy" not in products.runs


@pytest.mark.parametrize("name", ["onnxruntime", "engine"])
def test_a_library_multiplies(name):
    if name == "engine" and not has_library():
        pytest.skip("no engine in this installation")
    random = np.random.default_rng(1)
    weights = [random.standard_normal(shape, dtype=np.float32) for shape in SHAPES]
    for weight, product in zip(weights, getattr(matrix_rate, f"_by_{name}")(weights, 2), strict=True):
        rows = random.standard_normal((130, len(weight)), dtype=np.float32)
        found = np.asarray(product(rows)).reshape(130, -1)
        np.testing.assert_allclose(found, rows @ weight, atol=1e-4)


def test_the_rate_is_that_of_the_fastest():
    products = MatrixProducts({"a": lambda: None, "b": lambda: None}, num_operations=6.0)
    assert products.rate({"a": Timing((3.0, 2.0, 1.0)), "b": Timing((1.5, 1.0, 9.0))}) == 4.0

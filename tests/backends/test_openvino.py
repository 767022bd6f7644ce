from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from labelwise.backends import open_backend
from labelwise.checkpoints import open_checkpoint
from labelwise.errors import BackendError, MissingExtraError

pytest.importorskip("openvino")


def test_sixteen_threads_get_the_answers_of_one(tiny, rows):
    backend = open_backend(tiny("bert"), backend="openvino", threads=1)
    batches = [rows((length, 4), types=True) for length in range(2, 18)] * 2
    expected = [backend.run(batch)[0] for batch in batches]
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda batch: backend.run(batch)[0], batches))
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_result_does_not_change_with_the_next_call(tiny, rows):
    backend = open_backend(tiny("bert"), backend="openvino", threads=1)
    (first,) = backend.run(rows((6,)))
    kept = first.copy()
    backend.run(rows((9,)))
    np.testing.assert_array_equal(first, kept)


def test_bytes_that_are_no_graph_are_refused_in_one_line(save_tiny):
    folder = save_tiny("bert")
    (folder / "model.safetensors").unlink()
    (folder / "model.onnx").write_bytes(b"not a graph")
    with pytest.raises(BackendError, match="OpenVINO cannot load") as caught:
        open_backend(open_checkpoint(folder), backend="openvino")
    assert "\n" not in str(caught.value)


def test_without_the_extra_the_error_says_what_to_install(tiny, monkeypatch):
    checkpoint = tiny("bert")
    monkeypatch.setitem(__import__("sys").modules, "openvino", None)
    with pytest.raises(MissingExtraError, match=r"labelwise\[openvino\]"):
        open_backend(checkpoint, backend="openvino")

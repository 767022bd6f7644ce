"""Arrays of an ONNX file are read as the onnx package reads them."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from labelwise.checkpoints.onnx_arrays import read_arrays
from labelwise.errors import CheckpointError


def saved(folder, *tensors):
    graph = helper.make_graph([], "some graph", [], [], list(tensors))
    file = folder / "model.onnx"
    onnx.save(helper.make_model(graph, producer_name="somebody"), str(file))
    return file


@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8", "int8", "int32", "int64"])
@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 1), (5,), ()])
def test_an_array_has_its_name_shape_and_numbers(tmp_path, dtype, shape):
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    stored = read_arrays(saved(tmp_path, numpy_helper.from_array(array, "a.weight")))
    assert (stored.maker, stored.graph) == ("somebody", "some graph")
    np.testing.assert_array_equal(stored.by_name["a.weight"], array)
    assert stored.by_name["a.weight"].dtype == array.dtype


def test_bfloat16_is_widened(tmp_path):
    halves = np.array([0x3FC0, 0xC000], dtype=np.uint16)
    tensor = helper.make_tensor("half", TensorProto.BFLOAT16, [2], halves.tobytes(), raw=True)
    assert read_arrays(saved(tmp_path, tensor)).by_name["half"].tolist() == [1.5, -2.0]


@pytest.mark.parametrize("content", [b"", b"no graph at all", b"\x3a\xff\x01"])
def test_a_damaged_file_is_refused_by_name(tmp_path, content):
    file = tmp_path / "model.onnx"
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"model\.onnx is not an ONNX file"):
        read_arrays(file)

"""Reading the structure of ONNX files without the onnx package."""

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

import labelwise
from labelwise.checkpoints.onnx_file import read_initializers
from labelwise.errors import CheckpointError


def save(path, *tensors):
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [], [], initializer=tensors)
    onnx.save(helper.make_model(graph), path)
    return path


def names_types_shapes(path):
    return [(found.name, found.dtype, found.shape) for found in read_initializers(path)]


def test_names_types_and_shapes_are_told(tmp_path):
    path = save(
        tmp_path / "model.onnx",
        helper.make_tensor("a", TensorProto.FLOAT, [2, 3], [0.0] * 6),
        helper.make_tensor("b", TensorProto.INT8, [1000], bytes(1000), raw=True),
        helper.make_tensor("c", TensorProto.FLOAT16, [], [1.0]),
    )
    assert names_types_shapes(path) == [
        ("a", "float32", (2, 3)),
        ("b", "int8", (1000,)),
        ("c", "float16", ()),
    ]


def test_the_onnx_package_reads_the_same_of_the_bundled_model():
    path = Path(labelwise.__file__).parent / "checkpoints" / "bundled" / "model.onnx"
    expected = [(entry.name, tuple(entry.dims)) for entry in onnx.load(path).graph.initializer]
    assert [(name, shape) for name, _, shape in names_types_shapes(path)] == expected


def test_a_type_without_a_name_is_unknown(tmp_path):
    tensor = helper.make_tensor("a", TensorProto.FLOAT, [1], [0.0])
    tensor.data_type = 99
    assert names_types_shapes(save(tmp_path / "model.onnx", tensor)) == [("a", "unknown", (1,))]


def test_a_file_cut_anywhere_is_refused(tmp_path):
    whole = save(tmp_path / "model.onnx", helper.make_tensor("a", TensorProto.FLOAT, [2], [0.0] * 2))
    content = whole.read_bytes()
    cut = tmp_path / "cut.onnx"
    refused = 0
    for length in range(len(content)):
        cut.write_bytes(content[:length])
        try:
            read_initializers(cut)
        except CheckpointError:
            refused += 1
    # What follows the graph (the opset) is not needed and may be missing.
    assert refused >= len(content) - 10


@pytest.mark.parametrize("content", [b"", b"not a model at all", b"\xff" * 64, b"\x3a\xff\xff\xff\xff\x7f"])
def test_other_files_are_refused_in_one_line(tmp_path, content):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"model\.onnx is not an ONNX file") as raised:
        read_initializers(path)
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"gone\.onnx cannot be read"):
        read_initializers(tmp_path / "gone.onnx")

"""Precision and parameters, told by headers and names."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from safetensors.numpy import save_file

from labelwise.checkpoints.stored_weights import read_stored_weights


def save_onnx(path, **dtype_and_shape_by_name):
    tensors = []
    for name, (dtype, shape) in dtype_and_shape_by_name.items():
        tensor = TensorProto(name=name, data_type=dtype)
        tensor.dims.extend(shape)
        tensors.append(tensor)
    graph = helper.make_graph([], "g", [], [], initializer=tensors)
    path.parent.mkdir(exist_ok=True)
    onnx.save(helper.make_model(graph), path)
    return path


@pytest.mark.parametrize(("dtype", "precision"), [(np.float32, "float32"), (np.float16, "float16")])
def test_safetensors_tell_their_type_and_count(tmp_path, dtype, precision):
    tensors = {"w": np.ones((3, 4), dtype), "position_ids": np.arange(7)}
    save_file(tensors, tmp_path / "model.safetensors")
    found = read_stored_weights(tmp_path, tmp_path / "model.safetensors")
    assert found.precision == precision
    assert found.num_parameters == 12
    assert found.num_values_by_dtype == {precision: 12, "i64": 7}


@pytest.mark.parametrize(
    ("name", "precision"),
    [
        ("model.onnx", "float32"),
        ("onnx/model_fp16.onnx", "float16"),
        ("onnx/model_quantized.onnx", "int8"),
        ("onnx/model_q4f16.onnx", "q4f16"),
        ("onnx/model_bnb4.onnx", "q4"),
        ("model_qint8_avx512.onnx", "float32"),
        ("model_int8_dynamic.onnx", "int8"),
    ],
)
def test_the_name_of_an_onnx_file_goes_before_its_types(tmp_path, name, precision):
    path = save_onnx(tmp_path / name, w=(TensorProto.FLOAT, [4, 4]))
    found = read_stored_weights(tmp_path, path)
    assert found.file == name
    assert found.precision == precision


def test_scales_and_constants_are_not_parameters(tmp_path):
    path = save_onnx(
        tmp_path / "model.onnx",
        w=(TensorProto.INT8, [10, 10]),
        w_scale=(TensorProto.FLOAT, [10]),
        w_zero_point=(TensorProto.INT8, [10]),
        b=(TensorProto.FLOAT, [5]),
        half=(TensorProto.FLOAT, []),
        axes=(TensorProto.INT64, [2]),
    )
    found = read_stored_weights(tmp_path, path)
    assert found.num_parameters == 105
    assert found.precision == "int8"
    assert found.to_dict()["num_values_by_dtype"] == {"int8": 110, "float32": 16, "int64": 2}


def test_packed_weights_are_not_counted(tmp_path):
    path = save_onnx(tmp_path / "model_q4.onnx", w=(TensorProto.UINT8, [10, 1, 16]))
    assert read_stored_weights(tmp_path, path).num_parameters is None


def test_no_greater_half_is_mixed_and_nothing_is_unknown(tmp_path):
    half = save_onnx(tmp_path / "a.onnx", w=(TensorProto.FLOAT, [4]), v=(TensorProto.FLOAT16, [4]))
    nothing = save_onnx(tmp_path / "b.onnx", axes=(TensorProto.INT64, [4]))
    assert read_stored_weights(tmp_path, half).precision == "mixed"
    assert read_stored_weights(tmp_path, nothing).precision == "unknown"

import pytest

from labelwise.backends import open_backend
from labelwise.errors import InputError


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"backend": "tensorrt"}, "auto, engine, onnx, openvino, torch"),
        ({"device": "tpu"}, "cuda"),
        ({"dtype": "int4"}, "bfloat16"),
        ({"dtype": "int8", "backend": "torch"}, "engine"),
        ({"threads": 0}, "at least 1"),
        ({"threads": -2}, "at least 1"),
        ({"threads": 1.5}, "at least 1"),
        ({"device": "cuda"}, "backend='torch'"),
        ({"backend": "openvino", "dtype": "float16"}, "backend='torch'"),
    ],
)
def test_a_wrong_name_is_refused_with_the_choices_before_anything_is_loaded(settings, named):
    with pytest.raises(InputError, match=named):
        open_backend(None, **settings)


def test_auto_is_onnx_where_the_engine_is_switched_off(tiny, monkeypatch):
    monkeypatch.setenv("LABELWISE_NO_ENGINE", "1")
    assert open_backend(tiny("bert")).name == "onnx"


def test_torch_and_openvino_open_by_name(tiny):
    pytest.importorskip("openvino")
    checkpoint = tiny("bert")
    assert open_backend(checkpoint, backend="torch").name == "torch"
    assert open_backend(checkpoint, backend="openvino", threads=1).name == "openvino"

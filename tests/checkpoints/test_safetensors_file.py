import contextlib
import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from labelwise.checkpoints.safetensors_file import read_header
from labelwise.errors import CheckpointError


def write_raw(file, header, payload=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + payload)


def entry(dtype="F32", shape=(1,), start=0, stop=4):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, stop]}


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_are_read_as_float32(tmp_path, dtype):
    values = np.random.default_rng(0).normal(size=(3, 5)).astype(dtype)
    save_file({"a": values, "b": values[:1].copy()}, tmp_path / "m.safetensors", metadata={"format": "pt"})
    tensors = read_header(tmp_path / "m.safetensors")
    assert set(tensors) == {"a", "b"}
    assert tensors["a"].read().dtype == np.float32
    np.testing.assert_array_equal(tensors["a"].read(), values.astype(np.float32))


def test_bfloat16_equals_torchs_widening(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file as save_torch

    values = torch.cat(
        [torch.randn(50, generator=torch.Generator().manual_seed(0)) * 1e3, torch.tensor([0.0, -0.0, 1e-40])]
    )
    save_torch({"a": values.to(torch.bfloat16)}, str(tmp_path / "m.safetensors"))
    read = read_header(tmp_path / "m.safetensors")["a"].read()
    np.testing.assert_array_equal(read, values.to(torch.bfloat16).float().numpy())


def test_scalars_and_empty_tensors_keep_their_shape(tmp_path):
    save_file({"s": np.array(2.5, np.float32), "e": np.zeros((0, 4), np.float32)}, tmp_path / "m.safetensors")
    tensors = read_header(tmp_path / "m.safetensors")
    assert tensors["s"].read().shape == ()
    assert float(tensors["s"].read()) == 2.5
    assert tensors["e"].read().shape == (0, 4)


def test_integers_are_listed_and_refused_only_when_read(tmp_path):
    save_file({"position_ids": np.arange(4)}, tmp_path / "m.safetensors")
    tensor = read_header(tmp_path / "m.safetensors")["position_ids"]
    with pytest.raises(CheckpointError, match="I64"):
        tensor.read()


@pytest.mark.parametrize(
    ("header", "payload"),
    [
        (b"not json", b""),
        (b"[]", b""),
        ({"a": entry()}, b"123"),
        ({"a": entry()}, b"12345"),
        ({"a": entry(stop=8)}, b"12345678"),
        ({"a": entry(start=4, stop=8)}, b"12345678"),
        ({"a": entry(), "b": entry()}, b"1234"),
        ({"a": entry(shape=(-1,), stop=-4)}, b""),
        ({"a": entry(dtype="Q9")}, b"1234"),
        ({"a": {"dtype": "F32"}}, b"1234"),
        ({"a": [1, 2]}, b"1234"),
        ({"a": entry(shape=("1",))}, b"1234"),
    ],
)
def test_a_broken_header_is_refused(tmp_path, header, payload):
    write_raw(tmp_path / "m.safetensors", header, payload)
    with pytest.raises(CheckpointError):
        read_header(tmp_path / "m.safetensors")


def test_a_header_that_claims_more_than_the_file_is_not_allocated(tmp_path):
    (tmp_path / "m.safetensors").write_bytes(struct.pack("<Q", 2**62) + b"{}")
    with pytest.raises(CheckpointError, match="cut short"):
        read_header(tmp_path / "m.safetensors")


def test_a_file_cut_short_is_refused(tmp_path):
    save_file({"a": np.ones(1000, np.float32)}, tmp_path / "m.safetensors")
    whole = (tmp_path / "m.safetensors").read_bytes()
    (tmp_path / "m.safetensors").write_bytes(whole[:-10])
    with pytest.raises(CheckpointError, match="download it again"):
        read_header(tmp_path / "m.safetensors")


@given(content=st.binary(max_size=200), length=st.integers(0, 300))
def test_any_bytes_are_read_or_refused_plainly(tmp_path_factory, content, length):
    file = tmp_path_factory.getbasetemp() / "fuzz.safetensors"
    file.write_bytes(struct.pack("<Q", length) + content)
    with contextlib.suppress(CheckpointError):
        read_header(file)

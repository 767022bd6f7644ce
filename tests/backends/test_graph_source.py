import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from labelwise import graphs
from labelwise.backends import graph_source, open_backend
from labelwise.backends.graph_source import graph_of
from labelwise.checkpoints import open_checkpoint
from labelwise.errors import CheckpointError, MissingExtraError


def refuse_to_build(*args, **kwargs):
    pytest.fail("the graph was built again")


def test_a_second_opening_does_not_build_again(tiny, rows, monkeypatch):
    checkpoint = tiny("bert")
    (first,) = open_backend(checkpoint).run(rows((5,)))
    monkeypatch.setattr(graphs, "build_graph", refuse_to_build)
    (second,) = open_backend(open_checkpoint(checkpoint.folder)).run(rows((5,)))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", ["model.onnx", "model.onnx.data", "manifest.json"])
def test_a_damaged_graph_is_built_again(tiny, rows, name):
    checkpoint = tiny("bert")
    (first,) = open_backend(checkpoint).run(rows((5,)))
    file = graph_of(checkpoint, fused=True).with_name(name)
    damaged = bytearray(file.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    file.write_bytes(damaged)
    (second,) = open_backend(checkpoint).run(rows((5,)))
    np.testing.assert_array_equal(first, second)


def test_other_weights_and_other_builders_get_other_graphs(save_tiny, monkeypatch):
    folder = save_tiny("bert")
    first = graph_of(open_checkpoint(folder), fused=True)
    assert graph_of(open_checkpoint(folder), fused=False) != first

    tensors = load_file(folder / "model.safetensors")
    tensors["classifier.bias"] = tensors["classifier.bias"] + 1
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    second = graph_of(open_checkpoint(folder), fused=True)
    assert second != first

    monkeypatch.setattr(graph_source, "_version_of", lambda module: "another")
    assert graph_of(open_checkpoint(folder), fused=True) not in (first, second)


def test_without_a_writable_cache_the_graph_is_kept_in_memory(tiny, rows, monkeypatch, tmp_path):
    checkpoint = tiny("bert")
    (expected,) = open_backend(checkpoint).run(rows((5,)))
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LABELWISE_CACHE", str(tmp_path / "file"))
    assert isinstance(graph_of(checkpoint, fused=True), bytes)
    np.testing.assert_array_equal(open_backend(checkpoint).run(rows((5,)))[0], expected)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_weights_are_widened(tiny, rows, dtype):
    checkpoint = tiny("deberta-v2", dtype=dtype)
    (ours,) = open_backend(checkpoint).run(rows((20, 6)))
    (theirs,) = open_backend(checkpoint, backend="torch", dtype="float32").run(rows((20, 6)))
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_sharded_weights_are_read(tiny, rows):
    checkpoint = tiny("bert", max_shard_size="20KB")
    assert len(checkpoint.weight_files) > 1
    (ours,) = open_backend(checkpoint).run(rows((20, 6), types=True))
    (theirs,) = open_backend(checkpoint, backend="torch").run(rows((20, 6), types=True))
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_our_own_graph_comes_before_a_published_file(save_tiny):
    folder = save_tiny("bert")
    (folder / "model.onnx").write_bytes(b"never read")
    assert graph_of(open_checkpoint(folder), fused=True) != folder / "model.onnx"


def test_a_published_file_comes_before_an_export(save_tiny):
    folder = save_tiny("distilbert")
    (folder / "onnx").mkdir()
    (folder / "onnx" / "model.onnx").write_bytes(b"graph")
    assert graph_of(open_checkpoint(folder), fused=True) == folder / "onnx" / "model.onnx"


@pytest.mark.parametrize(
    "change",
    [
        lambda tensors: tensors.pop("classifier.weight"),
        lambda tensors: tensors.update({"classifier.weight": tensors["classifier.weight"][:2].copy()}),
    ],
    ids=["missing", "wrong shape"],
)
def test_a_missing_or_wrong_tensor_is_refused_by_name(save_tiny, change):
    folder = save_tiny("bert")
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"classifier\.weight"):
        open_backend(open_checkpoint(folder))


def test_a_setting_that_no_builder_knows_goes_to_the_published_file(save_tiny):
    folder = save_tiny("bert")
    config = json.loads((folder / "config.json").read_text()) | {"hidden_act": "of its own"}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(CheckpointError, match="hidden_act"):
        graph_of(open_checkpoint(folder), fused=True)
    (folder / "model.onnx").write_bytes(b"graph")
    assert graph_of(open_checkpoint(folder), fused=True) == folder / "model.onnx"


def test_other_families_say_what_to_install(tiny, monkeypatch):
    checkpoint = tiny("distilbert")

    def missing(module, *, extra):
        raise MissingExtraError(module)

    monkeypatch.setattr("labelwise.backends.torch_export.require", missing)
    with pytest.raises(MissingExtraError, match=r"labelwise\[torch\]"):
        open_backend(checkpoint)

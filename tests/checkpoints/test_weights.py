import json
import os
import time

import numpy as np
import pytest
from safetensors.numpy import save_file

from labelwise.checkpoints import open_checkpoint, read_tensors, weights, weights_hash
from labelwise.errors import CheckpointError


def write_shards(folder):
    first, second = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
    save_file({"a": np.ones(2, np.float32)}, folder / first)
    save_file({"classifier.weight": np.zeros((3, 2), np.float16)}, folder / second)
    index = {"metadata": {}, "weight_map": {"a": first, "classifier.weight": second}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    return first, second


def settle(folder):
    for file in folder.iterdir():
        os.utime(file, (time.time() - 100,) * 2)


def test_tensors_are_read_by_name(make_folder):
    tensors = read_tensors(open_checkpoint(make_folder()))
    assert list(tensors) == ["classifier.weight"]
    assert len(tensors) == 1
    assert "a" not in tensors
    np.testing.assert_array_equal(tensors["classifier.weight"], np.ones((3, 4), np.float32))


def test_shards_read_as_one(make_folder):
    folder = make_folder(weights=False)
    first, second = write_shards(folder)
    checkpoint = open_checkpoint(folder)
    assert [file.name for file in checkpoint.weight_files] == [first, second]
    tensors = read_tensors(checkpoint)
    assert set(tensors) == {"a", "classifier.weight"}
    assert tensors["classifier.weight"].dtype == np.float32


def test_a_missing_shard_is_named(make_folder):
    folder = make_folder(weights=False)
    _, second = write_shards(folder)
    (folder / second).unlink()
    with pytest.raises(CheckpointError, match=second):
        open_checkpoint(folder)


def test_a_shard_outside_the_folder_is_not_read(make_folder):
    folder = make_folder(weights=False)
    write_shards(folder)
    save_file({"a": np.ones(2, np.float32)}, folder.parent / "outside.safetensors")
    index = {"weight_map": {"a": "../outside.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    with pytest.raises(CheckpointError, match="outside"):
        open_checkpoint(folder)


def test_a_tensor_in_two_shards_is_refused(make_folder):
    folder = make_folder(weights=False)
    _, second = write_shards(folder)
    save_file({"a": np.ones(2, np.float32)}, folder / second)
    with pytest.raises(CheckpointError, match="'a' is both in"):
        read_tensors(open_checkpoint(folder))


def test_the_hash_changes_with_one_byte_of_the_weights_or_the_config(make_folder):
    folder = make_folder()
    before = weights_hash(open_checkpoint(folder))
    assert weights_hash(open_checkpoint(folder)) == before

    whole = bytearray((folder / "model.safetensors").read_bytes())
    whole[-1] ^= 1
    (folder / "model.safetensors").write_bytes(whole)
    after = weights_hash(open_checkpoint(folder))
    assert after != before

    (folder / "config.json").write_text((folder / "config.json").read_text() + "\n", encoding="utf-8")
    assert weights_hash(open_checkpoint(folder)) not in (before, after)


def test_a_settled_file_is_hashed_once(make_folder, monkeypatch):
    folder = make_folder()
    settle(folder)
    first = weights_hash(open_checkpoint(folder))
    monkeypatch.setattr(weights, "_hash_files", lambda files: pytest.fail("hashed again"))
    assert weights_hash(open_checkpoint(folder)) == first


def test_the_same_content_elsewhere_has_the_same_hash(make_folder):
    assert weights_hash(open_checkpoint(make_folder("one"))) == weights_hash(
        open_checkpoint(make_folder("two"))
    )


def test_the_hash_needs_no_writable_cache(make_folder, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LABELWISE_CACHE", str(tmp_path / "file" / "below"))
    folder = make_folder()
    settle(folder)
    assert len(weights_hash(open_checkpoint(folder))) == 64

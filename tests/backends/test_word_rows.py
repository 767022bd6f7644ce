import numpy as np
import pytest

from labelwise.backends.engine import EngineBackend
from labelwise.backends.word_rows import map_half_words
from labelwise.checkpoints import open_checkpoint
from labelwise.engine.library import has_library
from labelwise.errors import CheckpointError

NAME = "bert.embeddings.word_embeddings.weight"


@pytest.fixture
def halved(save_tiny):
    """A checkpoint whose weights are all stored in another type, and its table of words in float32."""
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file, save_file

    def make(dtype):
        folder = save_tiny("bert")
        tensors = load_file(folder / "model.safetensors")
        small = {name: tensor.to(getattr(torch, dtype)) for name, tensor in tensors.items()}
        save_file(small, folder / "model.safetensors", metadata={"format": "pt"})
        return open_checkpoint(folder), small[NAME].float().numpy()

    return make


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_table_in_16_bits_stays_in_the_file(halved, dtype):
    checkpoint, expected = halved(dtype)
    table = map_half_words(checkpoint, NAME, shape=expected.shape)
    assert isinstance(table.rows, np.memmap)
    assert table.rows.dtype.itemsize == 2
    np.testing.assert_array_equal(table.vectors(np.arange(len(expected))), expected)


def test_a_table_in_32_bits_is_left_to_others(halved):
    checkpoint, expected = halved("float32")
    assert map_half_words(checkpoint, NAME, shape=expected.shape) is None


def test_a_table_of_another_size_is_refused(halved):
    checkpoint, expected = halved("float16")
    with pytest.raises(CheckpointError, match="different models"):
        map_half_words(checkpoint, NAME, shape=(len(expected) + 1, expected.shape[1]))


@pytest.mark.skipif(not has_library(), reason="no engine in this installation")
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_the_engine_says_what_onnxruntime_says(halved, rows, dtype):
    from labelwise.backends import open_backend

    checkpoint, _ = halved(dtype)
    batch = rows((20, 7, 33), types=True)
    ours, theirs = EngineBackend.open(checkpoint, threads=1), open_backend(checkpoint, backend="onnx")
    np.testing.assert_allclose(ours.run(batch)[0], theirs.run(batch)[0], atol=1e-4)

"""A folder with labelwise's own ONNX file alone runs in torch."""

import numpy as np
import pytest

from labelwise.backends.opening import open_backend
from labelwise.checkpoints import open_checkpoint
from labelwise.checkpoints.weights import read_tensors
from labelwise.errors import CheckpointError
from labelwise.graphs import build_graph

torch = pytest.importorskip("torch")


@pytest.fixture
def with_graph_alone(save_tiny):
    """Put a graph in the place of the safetensors; return the checkpoint before and after."""

    def make(family="bert", **form):
        folder = save_tiny(family)
        before = open_checkpoint(folder)
        backend = open_backend(before, backend="torch")
        graph = build_graph(before.config, read_tensors(before), head="sequence-classification", **form)
        (folder / "model.safetensors").unlink()
        (folder / "model.onnx").write_bytes(graph.SerializeToString())
        return backend, open_checkpoint(folder)

    return make


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_float32_logits_are_those_of_the_safetensors(with_graph_alone, rows, family):
    batch = rows((7, 3, 5))
    before, checkpoint = with_graph_alone(family)
    (expected,) = before.run(batch)
    (found,) = open_backend(checkpoint, backend="torch").run(batch)
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_eight_bits_are_near_and_half_precision_is_taken(with_graph_alone, rows):
    before, checkpoint = with_graph_alone(weights="int8")
    batch = rows((7, 3, 5))
    for dtype in ("float32", "bfloat16"):
        (found,) = open_backend(checkpoint, backend="torch", dtype=dtype).run(batch)
        assert found.dtype == np.float32
        assert 0 < np.abs(found - before.run(batch)[0]).max() < 0.1


def test_loading_leaves_the_random_numbers_alone(with_graph_alone):
    _, checkpoint = with_graph_alone()
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    open_backend(checkpoint, backend="torch")
    assert torch.equal(torch.rand(4), expected)


def test_a_config_of_another_model_is_refused(with_graph_alone):
    _, checkpoint = with_graph_alone()
    config = checkpoint.folder / "config.json"
    config.write_text(config.read_text().replace('"vocab_size": ', '"vocab_size": 1'))
    with pytest.raises(CheckpointError, match="belong to different models"):
        open_backend(open_checkpoint(checkpoint.folder), backend="torch")

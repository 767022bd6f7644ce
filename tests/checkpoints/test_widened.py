"""Weights that labelwise wrote into an ONNX file come back under their names, in every form."""

import numpy as np
import onnx
import pytest

from labelwise.checkpoints import open_checkpoint
from labelwise.checkpoints.weights import read_tensors
from labelwise.checkpoints.widened import WidenedWeights, read_widened
from labelwise.errors import CheckpointError
from labelwise.graphs import build_graph
from labelwise.graphs.settings import EncoderSettings

HEADS = {"SequenceClassification": "sequence-classification", "QuestionAnswering": "question-answering"}


@pytest.fixture
def write(save_tiny, tmp_path):
    """Write a tiny model's graph and return its own tensors and what is read back."""

    def write(family="bert", *, head="SequenceClassification", change=None, **form):
        checkpoint = open_checkpoint(save_tiny(family, head=head))
        tensors = read_tensors(checkpoint)
        graph = build_graph(checkpoint.config, tensors, head=HEADS[head], **form)
        file = tmp_path / "model.onnx"
        file.write_bytes((change(graph) if change else graph).SerializeToString())
        size = EncoderSettings.from_config(checkpoint.config).head_size
        return tensors, WidenedWeights(file, score_factor=size**-0.5)

    return write


@pytest.mark.parametrize("head", sorted(HEADS))
@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_a_float32_file_gives_every_tensor_back(write, family, head):
    tensors, found = write(family, head=head, fused=False)
    assert set(found) == set(tensors)
    assert len(found) == len(tensors)
    for name, expected in tensors.items():
        assert name in found
        np.testing.assert_allclose(found[name].reshape(expected.shape), expected, rtol=2e-7, atol=0)


@pytest.mark.parametrize("fused", [True, False])
def test_eight_bits_come_back_as_near_as_a_block_has_steps(write, fused):
    tensors, found = write(fused=fused, weights="int8")
    assert set(found) == set(tensors)
    for name, expected in tensors.items():
        values = found[name]
        if values.ndim == 2 and values.shape[1] > expected.shape[1]:
            assert not values[:, expected.shape[1] :].any()
            values = values[:, : expected.shape[1]]
        assert np.abs(values - expected).max() <= 0.51 * np.abs(expected).max() / 127


def test_a_graph_that_somebody_else_made_is_refused(write):
    def sign(graph):
        graph.graph.name = "main_graph"
        return graph

    with pytest.raises(CheckpointError, match="no graph of labelwise"):
        write(change=sign)


def test_a_tensor_that_is_cut_out_is_named(write):
    def cut(graph):
        kept = [
            tensor for tensor in graph.graph.initializer if not tensor.name.endswith("0.output.dense.weight")
        ]
        del graph.graph.initializer[:]
        graph.graph.initializer.extend(kept)
        return graph

    _, found = write(fused=False, change=cut)
    name = "bert.encoder.layer.0.output.dense.weight"
    assert name not in found
    with pytest.raises(CheckpointError, match=r"layer\.0\.output\.dense\.weight"):
        found[name]


def test_deberta_whose_positions_are_projected_is_refused_by_name(save_tiny):
    folder = save_tiny("deberta-v2")
    (folder / "model.safetensors").unlink()
    onnx.save(
        onnx.helper.make_model(onnx.helper.make_graph([], "labelwise", [], [])), str(folder / "model.onnx")
    )
    with pytest.raises(CheckpointError, match="cannot be read back for model_type 'deberta-v2'"):
        read_widened(open_checkpoint(folder))

"""Layers of an 8-bit file, taken as they are."""

import numpy as np
import pytest

from labelwise.checkpoints.weights import read_tensors
from labelwise.engine.native import ATTENTION_OUTPUT, DOWN, QUERY_KEY_VALUE, UP
from labelwise.engine.onnx_weights import OnnxWeights
from labelwise.engine.small_weights import shrink_weight
from labelwise.engine.stored_layers import StoredLayers
from labelwise.errors import CheckpointError
from labelwise.graphs import build_graph
from labelwise.graphs.quantise import BLOCK_SIZE
from labelwise.graphs.settings import EncoderSettings

PROJECTIONS = [f"attention.self.{name}" for name in ("query", "key", "value")]


@pytest.fixture
def stored(tiny, tmp_path):
    sizes = {"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4}
    checkpoint = tiny("bert", config=sizes)
    graph = build_graph(
        checkpoint.config, read_tensors(checkpoint), head="sequence-classification", weights="int8"
    )
    file = tmp_path / "small.onnx"
    file.write_bytes(graph.SerializeToString())
    settings = EncoderSettings.from_config(checkpoint.config)
    return StoredLayers(OnnxWeights(file, score_factor=settings.head_size**-0.5), "bert", settings)


def test_layers_are_the_tensors_of_the_file_rounded_in_its_own_blocks(stored):
    names = {
        QUERY_KEY_VALUE: PROJECTIONS,
        ATTENTION_OUTPUT: ["attention.output.dense"],
        UP: ["intermediate.dense"],
        DOWN: ["output.dense"],
    }
    factor = np.float32(stored.settings.head_size**-0.5)
    for number in range(stored.settings.num_layers):
        linears = stored.linears(number)
        assert linears.keys() == names.keys()
        for which, parts in names.items():
            whole = [f"bert.encoder.layer.{number}.{name}" for name in parts]
            weights = [stored.weights[f"{name}.weight"] for name in whole]
            biases = [stored.weights[f"{name}.bias"] for name in whole]
            if which == QUERY_KEY_VALUE:
                weights[0], biases[0] = weights[0] * factor, biases[0] * factor
            expected = shrink_weight(np.concatenate(weights), group_size=BLOCK_SIZE)
            weight, bias = linears[which]
            np.testing.assert_array_equal(weight.integers, expected.integers)
            np.testing.assert_array_equal(weight.scales, expected.scales)
            np.testing.assert_array_equal(bias, np.concatenate(biases))


def test_a_tensor_is_there_under_its_usual_name(stored):
    assert "bert.encoder.layer.0.attention.self.key.weight" in stored.weights
    assert "bert.embeddings.word_embeddings.weight" in stored.weights
    assert "bert.encoder.layer.9.attention.self.key.weight" not in stored.weights
    assert "bert.encoder.layer.0.output.dense.gamma" not in stored.weights


def test_weights_of_other_sizes_than_the_config_names_are_refused(stored):
    from dataclasses import replace

    other = replace(stored.settings, intermediate_size=64)
    with pytest.raises(CheckpointError, match="different models"):
        StoredLayers(stored.weights, "bert", other).linears(0)


def test_a_layer_that_is_not_there_is_refused(stored):
    with pytest.raises(CheckpointError, match="lack"):
        stored.linears(7)
    with pytest.raises(CheckpointError, match="lack"):
        stored.weights.stored("bert.pooler")

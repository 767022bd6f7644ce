from __future__ import annotations

import subprocess
import sys

import numpy as np
import onnx
import pytest

from labelwise.errors import CheckpointError, InputError
from labelwise.graphs import HAS_BUILDER, build_graph

SIZE, LAYERS, VOCAB, POSITIONS, INNER = 16, 2, 40, 24, 32
CONFIG = {
    "model_type": "bert",
    "vocab_size": VOCAB,
    "hidden_size": SIZE,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 2,
    "intermediate_size": INNER,
    "max_position_embeddings": POSITIONS,
    "type_vocab_size": 2,
    "id2label": {"0": "entailment", "1": "neutral", "2": "contradiction"},
}


def bert_shapes():
    shapes = {
        "bert.embeddings.word_embeddings.weight": (VOCAB, SIZE),
        "bert.embeddings.position_embeddings.weight": (POSITIONS, SIZE),
        "bert.embeddings.token_type_embeddings.weight": (2, SIZE),
        "bert.embeddings.LayerNorm.weight": (SIZE,),
        "bert.embeddings.LayerNorm.bias": (SIZE,),
        "bert.pooler.dense.weight": (SIZE, SIZE),
        "bert.pooler.dense.bias": (SIZE,),
        "classifier.weight": (3, SIZE),
        "classifier.bias": (3,),
    }
    for number in range(LAYERS):
        layer = f"bert.encoder.layer.{number}"
        linear = {
            "attention.self.query": (SIZE, SIZE),
            "attention.self.key": (SIZE, SIZE),
            "attention.self.value": (SIZE, SIZE),
            "attention.output.dense": (SIZE, SIZE),
            "intermediate.dense": (INNER, SIZE),
            "output.dense": (SIZE, INNER),
        }
        for name, shape in linear.items():
            shapes[f"{layer}.{name}.weight"] = shape
            shapes[f"{layer}.{name}.bias"] = shape[:1]
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes[f"{layer}.{name}.weight"] = shapes[f"{layer}.{name}.bias"] = (SIZE,)
    return shapes


@pytest.fixture
def tensors():
    random = np.random.default_rng(0)
    return {
        name: random.normal(scale=0.3, size=shape).astype(np.float32) for name, shape in bert_shapes().items()
    }


def build(tensors, **changes):
    return build_graph(CONFIG | changes, tensors, head="sequence-classification")


@pytest.mark.parametrize("name", bert_shapes())
def test_a_missing_tensor_is_named(name, tensors):
    del tensors[name]
    with pytest.raises(CheckpointError) as error:
        build(tensors)
    assert repr(name) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", bert_shapes())
def test_a_tensor_of_the_wrong_shape_is_named_with_both_shapes(name, tensors):
    expected = tensors[name].shape
    wrong = (expected[0] + 1, *expected[1:])
    tensors[name] = np.zeros(wrong, np.float32)
    with pytest.raises(CheckpointError) as error:
        build(tensors)
    assert all(part in str(error.value) for part in (repr(name), str(expected), str(wrong)))


def test_weights_of_another_family_are_refused():
    with pytest.raises(CheckpointError, match=r"no 'bert' tensors .*'model\.layers\.0\.weight'"):
        build({"model.layers.0.weight": np.zeros((2, 2), np.float32)})


def test_tensors_that_no_one_asks_for_change_nothing(tensors):
    plain = build(tensors).SerializeToString(deterministic=True)
    tensors["bert.embeddings.position_ids"] = np.zeros((1, POSITIONS), np.float32)
    assert build(tensors).SerializeToString(deterministic=True) == plain


def test_the_number_of_classes_comes_from_the_label_names(tensors):
    with pytest.raises(CheckpointError, match=r"'classifier\.weight'"):
        build(tensors, id2label={"0": "entailment", "1": "not_entailment"})


def test_an_unknown_family_is_refused_with_the_known_ones():
    with pytest.raises(CheckpointError, match=r"'gpt2'.*deberta-v2"):
        build_graph({"model_type": "gpt2"}, {}, head="sequence-classification")


@pytest.mark.parametrize("option", [{"head": "masked-language"}, {"weights": "int4"}])
def test_an_unknown_option_is_refused(option, tensors):
    with pytest.raises(InputError, match=next(iter(option.values()))):
        build_graph(CONFIG, tensors, **{"head": "question-answering"} | option)


@pytest.mark.parametrize("weights", ["float32", "int8"])
def test_the_graph_passes_the_checker_and_old_runtimes_read_it(weights, tensors):
    model = build_graph(CONFIG, tensors, head="sequence-classification", fused=False, weights=weights)
    onnx.checker.check_model(model, full_check=True)
    assert model.ir_version == 10
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 20)]


def test_the_last_layer_computes_one_row_per_text(tensors, runner):
    model = build(tensors)
    run = runner(model)
    gelu_inputs = [node.output[0] for node in model.graph.node if node.op_type == "BiasGelu"]
    assert len(gelu_inputs) == LAYERS
    model.graph.output.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in gelu_inputs
    )
    ids = np.full((3, 7), 9)
    feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    outputs = runner(model)(feed)
    assert [outputs[name].shape[0] for name in gelu_inputs] == [21, 3]
    np.testing.assert_allclose(outputs["logits"], run(feed)["logits"], atol=1e-5)


@pytest.mark.parametrize(("weights", "tolerance"), [("float32", 1e-5), ("int8", 1e-5)])
def test_neither_padding_nor_neighbours_change_a_score(weights, tolerance, tensors, runner):
    run = runner(build_graph(CONFIG, tensors, head="sequence-classification", weights=weights))
    random = np.random.default_rng(1)
    for length, batch, padded in [(1, 3, 5), (3, 4, 20), (7, 1, 8), (7, 2, 7), (12, 5, 24), (20, 3, 21)]:
        own = random.integers(1, VOCAB, (1, length))
        ids = random.integers(1, VOCAB, (batch, padded))
        mask = np.ones_like(ids)
        ids[-1], mask[-1] = 0, 0
        ids[-1, :length], mask[-1, :length] = own, 1
        alone = {"input_ids": own, "attention_mask": np.ones_like(own), "token_type_ids": own % 2}
        among = {"input_ids": ids, "attention_mask": mask, "token_type_ids": ids % 2}
        np.testing.assert_allclose(run(among)["logits"][-1], run(alone)["logits"][0], atol=tolerance)


def test_openvino_reads_both_dialects(tensors, runner, tmp_path):
    openvino = pytest.importorskip("openvino")
    ids = np.random.default_rng(2).integers(1, VOCAB, (2, 9))
    mask = np.ones_like(ids)
    mask[1, 5:] = 0
    feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": ids % 2}
    for fused in (True, False):
        model = build_graph(CONFIG, tensors, head="sequence-classification", fused=fused)
        path = tmp_path / f"{fused}.onnx"
        onnx.save(model, path)
        options = {"INFERENCE_PRECISION_HINT": "f32"}
        result = openvino.Core().compile_model(path, "CPU", options)(feed)
        np.testing.assert_allclose(result["logits"], runner(model)(feed)["logits"], atol=1e-5)


def test_every_family_with_a_builder_can_be_asked_for():
    for family in HAS_BUILDER:
        with pytest.raises(CheckpointError, match="the weights hold no"):
            build_graph(CONFIG | {"model_type": family}, {}, head="sequence-classification")


def test_asking_which_families_there_are_does_not_load_onnx():
    code = "import sys, labelwise.graphs; sys.exit('onnx' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

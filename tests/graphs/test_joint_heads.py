"""Graphs of joint models against the torch modules' own forward passes; one session serves any shape."""

import numpy as np
import pytest

from labelwise.errors import CheckpointError, InputError
from labelwise.graphs import build_graph, has_builder

LAB, VOCAB_SIZE = 89, 90
SHAPES = [(1, 3, 1), (2, 17, 2), (3, 40, 7), (2, 120, 25), (1, 60, 20)]


def encoder_config(family):
    transformers = pytest.importorskip("transformers")
    sizes = {"vocab_size": VOCAB_SIZE, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    sizes |= {"intermediate_size": 48, "max_position_embeddings": 250}
    if family == "deberta-v2":
        return transformers.DebertaV2Config(
            **sizes,
            relative_attention=True,
            position_buckets=16,
            norm_rel_ebd="layer_norm",
            share_att_key=True,
            pos_att_type=["p2c", "c2p"],
            position_biased_input=False,
            type_vocab_size=0,
        )
    return {"bert": transformers.BertConfig, "roberta": transformers.RobertaConfig}[family](**sizes)


def make_batch(rows, text_tokens, labels, pad_id):
    """Rows with falling numbers of labels, one or two tokens each, padded on the right."""
    random = np.random.default_rng(100 * rows + text_tokens + labels)
    made = []
    for row in range(rows):
        ids = [1, *random.integers(5, 80, max(1, text_tokens - row)), 2]
        text, positions = len(ids), []
        for number in range(max(1, labels - row)):
            ids += [*random.integers(5, 80, 1 + number % 2), LAB]
            positions.append(len(ids) - 1)
        made.append((ids, text, positions))
    longest, most = max(len(ids) for ids, _, _ in made), max(len(found) for _, _, found in made)
    feed = {name: np.zeros((rows, longest), np.int64) for name in ("attention_mask", "text_mask")}
    feed["input_ids"] = np.full((rows, longest), pad_id)
    feed["label_positions"] = np.full((rows, most), -1)
    for row, (ids, text, positions) in enumerate(made):
        feed["input_ids"][row, : len(ids)] = ids
        feed["attention_mask"][row, : len(ids)] = 1
        feed["text_mask"][row, :text] = 1
        feed["label_positions"][row, : len(positions)] = positions
    return feed


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("scoring_method", ["bilinear", "cosine"])
@pytest.mark.parametrize("family", ["deberta-v2", "bert", "roberta"])
def test_gliznet_graphs_equal_torch_at_any_batch_length_and_number_of_labels(
    runner, torch_model, weights_of, family, scoring_method, fused
):
    torch = pytest.importorskip("torch")
    from labelwise.models import GliZNetConfig, GliZNetModel

    encoder = encoder_config(family)
    config = GliZNetConfig(backbone_config=encoder, lab_token_id=LAB, scoring_method=scoring_method)
    model = torch_model(GliZNetModel, config)
    graph = build_graph(config.to_dict(), weights_of(model), head="joint-labels", fused=fused)
    run = runner(graph)
    assert set(run.input_names) == {"input_ids", "attention_mask", "label_positions", "text_mask"}
    for shape in SHAPES:
        feed = make_batch(*shape, pad_id=encoder.pad_token_id or 0)
        logits = run(feed)["logits"]
        with torch.inference_mode():
            lmask = torch.from_numpy(1 - feed["text_mask"])
            ids, mask = torch.from_numpy(feed["input_ids"]), torch.from_numpy(feed["attention_mask"])
            expected = model(ids, mask, lmask).logits.numpy()
        real = feed["label_positions"] >= 0
        assert np.array_equal(np.isfinite(expected), real)
        assert np.abs(logits[real] - expected[real]).max() < 1e-4


def test_a_missing_weight_is_named(torch_model, weights_of):
    pytest.importorskip("torch")
    from labelwise.models import GliZNetConfig, GliZNetModel

    config = GliZNetConfig(backbone_config=encoder_config("bert"), lab_token_id=LAB)
    weights = weights_of(torch_model(GliZNetModel, config))
    del weights["aggregator.scoring.bilinear.weight"]
    with pytest.raises(CheckpointError, match=r"aggregator\.scoring\.bilinear\.weight"):
        build_graph(config.to_dict(), weights, head="joint-labels")


def test_a_head_goes_only_with_its_models():
    with pytest.raises(InputError, match="does not go with model_type 'bert'"):
        build_graph({"model_type": "bert"}, {}, head="joint-labels")
    joint = {"model_type": "gliznet", "backbone_config": {"model_type": "bert"}}
    with pytest.raises(InputError, match="does not go with model_type 'gliznet'"):
        build_graph(joint, {}, head="question-answering")


def test_a_joint_model_has_a_builder_when_its_encoder_has():
    assert has_builder({"model_type": "gliznet", "backbone_config": {"model_type": "deberta-v2"}})
    assert has_builder({"model_type": "GLiClass", "encoder_config": {}})
    assert not has_builder({"model_type": "GLiClass", "encoder_config": {"model_type": "modernbert"}})
    assert not has_builder({"model_type": "gliznet"})

from __future__ import annotations

import numpy as np
import pytest

from labelwise.errors import CheckpointError
from labelwise.graphs import build_graph

transformers = pytest.importorskip("transformers")

VOCAB = 60
LENGTHS = (1, 2, 7, 30)
SIZES = {
    "vocab_size": VOCAB,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 32,
}
FAMILIES = {
    "bert": ("Bert", {}, 0),
    "bert-one-type": ("Bert", {"type_vocab_size": 1, "hidden_act": "relu"}, 0),
    "roberta": ("Roberta", {"type_vocab_size": 1, "pad_token_id": 1}, 1),
    "roberta-other-padding": ("Roberta", {"type_vocab_size": 1, "pad_token_id": 0}, 0),
    "xlm-roberta": ("XLMRoberta", {"type_vocab_size": 1, "layer_norm_eps": 1e-5}, 1),
    "camembert": ("Camembert", {"type_vocab_size": 2}, 1),
}


@pytest.fixture(params=FAMILIES.values(), ids=FAMILIES.keys())
def family(request):
    class_name, changes, pad_id = request.param
    config = getattr(transformers, f"{class_name}Config")(**SIZES | {"num_labels": 3} | changes)
    return class_name, config, pad_id


@pytest.mark.parametrize("fused", [True, False], ids=["fused", "standard"])
def test_class_logits_equal_those_of_transformers(
    family, fused, torch_model, weights_of, peer_outputs, token_batch, runner
):
    class_name, config, pad_id = family
    model = torch_model(getattr(transformers, f"{class_name}ForSequenceClassification"), config)
    run = runner(
        build_graph(config.to_dict(), weights_of(model), head="sequence-classification", fused=fused)
    )
    assert ("token_type_ids" in run.input_names) == (config.type_vocab_size > 1)
    for tokens in LENGTHS:
        feed = token_batch(
            batch=3, tokens=tokens, vocab_size=VOCAB, pad_id=pad_id, num_types=config.type_vocab_size
        )
        np.testing.assert_allclose(run(feed)["logits"], peer_outputs(model, feed)["logits"], atol=2e-5)


def test_span_logits_equal_those_of_transformers(
    family, torch_model, weights_of, peer_outputs, token_batch, runner
):
    class_name, config, pad_id = family
    config.num_labels = 2
    model = torch_model(getattr(transformers, f"{class_name}ForQuestionAnswering"), config)
    run = runner(build_graph(config.to_dict(), weights_of(model), head="question-answering"))
    for tokens in LENGTHS:
        feed = token_batch(
            batch=2, tokens=tokens, vocab_size=VOCAB, pad_id=pad_id, num_types=config.type_vocab_size
        )
        real = feed["attention_mask"].astype(bool)
        ours, theirs = run(feed), peer_outputs(model, feed)
        for name in ("start_logits", "end_logits"):
            np.testing.assert_allclose(ours[name][real], theirs[name][real], atol=2e-5)


def test_layer_norms_under_their_old_names_are_found(
    torch_model, weights_of, peer_outputs, token_batch, runner
):
    config = transformers.BertConfig(**SIZES, num_labels=3)
    model = torch_model(transformers.BertForSequenceClassification, config)
    old_names = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): tensor
        for name, tensor in weights_of(model).items()
    }
    run = runner(build_graph(config.to_dict(), old_names, head="sequence-classification"))
    feed = token_batch(batch=2, tokens=9, vocab_size=VOCAB, num_types=2)
    np.testing.assert_allclose(run(feed)["logits"], peer_outputs(model, feed)["logits"], atol=2e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"position_embedding_type": "relative_key"}, "position_embedding_type 'relative_key'"),
        ({"is_decoder": True}, "is_decoder"),
        ({"num_attention_heads": 5}, "hidden_size 32 is not a multiple of num_attention_heads 5"),
        ({"hidden_size": "32"}, "hidden_size must be a whole number"),
        ({"num_hidden_layers": 0}, "num_hidden_layers must be at least 1"),
    ],
)
def test_options_without_a_graph_are_refused(changes, message):
    config = transformers.BertConfig(**SIZES).to_dict() | changes
    with pytest.raises(CheckpointError, match=message):
        build_graph(config, {"bert.x": np.zeros(1, np.float32)}, head="sequence-classification")

from __future__ import annotations

import numpy as np
import pytest

from labelwise.errors import CheckpointError
from labelwise.graphs import build_graph

transformers = pytest.importorskip("transformers")

VOCAB = 60
# Eight buckets over 32 distances: the logarithmic part starts at 5, the last bucket at 32.
LENGTHS = (1, 2, 4, 5, 6, 9, 31, 32, 33, 34, 80)


def make_config(**changes):
    settings = {
        "vocab_size": VOCAB,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 48,
        "max_position_embeddings": 32,
        "relative_attention": True,
        "position_buckets": 8,
        "max_relative_positions": -1,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
        "pos_att_type": "p2c|c2p",
        "position_biased_input": False,
        "type_vocab_size": 0,
        "num_labels": 3,
    } | changes
    return transformers.DebertaV2Config(**settings)


@pytest.mark.parametrize(
    ("changes", "lengths"),
    [
        ({}, LENGTHS),
        ({"num_hidden_layers": 1}, (1, 7, 40)),
        ({"position_buckets": -1, "max_relative_positions": 6}, (1, 5, 6, 7, 8, 30)),
        ({"position_buckets": -1}, (1, 20, 31, 32, 33, 50)),
        ({"max_relative_positions": 12}, (1, 11, 12, 13, 14, 50)),
        ({"position_buckets": 7, "max_relative_positions": 20}, (1, 19, 20, 21, 70)),
        ({"share_att_key": False}, (1, 6, 40)),
        ({"pos_att_type": ["c2p"]}, (1, 6, 40)),
        ({"pos_att_type": ["p2c"], "share_att_key": False}, (1, 6, 40)),
        ({"pos_att_type": None}, (1, 6, 40)),
        ({"relative_attention": False, "position_biased_input": True}, (1, 6, 32)),
        ({"norm_rel_ebd": "none"}, (1, 6, 40)),
        ({"position_biased_input": True}, (1, 6, 32)),
        ({"type_vocab_size": 1}, (1, 6)),
        ({"type_vocab_size": 2, "embedding_size": 20}, (1, 6)),
        ({"conv_kernel_size": 3, "conv_act": "gelu"}, (1, 6, 40)),
        ({"conv_kernel_size": 5, "conv_groups": 2}, (1, 6)),
        ({"hidden_act": "relu", "pooler_hidden_act": "tanh"}, (1, 6)),
        ({"hidden_act": "gelu_new", "pooler_hidden_act": "silu"}, (1, 6)),
    ],
    ids=lambda value: "-".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else None,
)
@pytest.mark.parametrize("fused", [True, False], ids=["fused", "standard"])
def test_class_logits_equal_those_of_transformers(
    changes, lengths, fused, torch_model, weights_of, peer_outputs, token_batch, runner
):
    config = make_config(**changes)
    model = torch_model(transformers.DebertaV2ForSequenceClassification, config)
    head = "sequence-classification"
    run = runner(build_graph(config.to_dict(), weights_of(model), head=head, fused=fused))
    for tokens in lengths:
        feed = token_batch(batch=3, tokens=tokens, vocab_size=VOCAB, num_types=config.type_vocab_size)
        np.testing.assert_allclose(
            run(feed)["logits"], peer_outputs(model, feed)["logits"], atol=2e-5, err_msg=f"{tokens} tokens"
        )


@pytest.mark.parametrize("fused", [True, False], ids=["fused", "standard"])
def test_span_logits_equal_those_of_transformers(
    fused, torch_model, weights_of, peer_outputs, token_batch, runner
):
    config = make_config(num_labels=2)
    model = torch_model(transformers.DebertaV2ForQuestionAnswering, config)
    run = runner(build_graph(config.to_dict(), weights_of(model), head="question-answering", fused=fused))
    for tokens in LENGTHS:
        feed = token_batch(batch=2, tokens=tokens, vocab_size=VOCAB)
        real = feed["attention_mask"].astype(bool)
        ours, theirs = run(feed), peer_outputs(model, feed)
        for name in ("start_logits", "end_logits"):
            assert ours[name].shape == (2, tokens)
            np.testing.assert_allclose(ours[name][real], theirs[name][real], atol=2e-5)


def test_the_real_geometry_of_256_buckets_matches_beyond_512_tokens(
    torch_model, weights_of, peer_outputs, token_batch, runner
):
    config = make_config(position_buckets=256, max_position_embeddings=512, num_attention_heads=2)
    model = torch_model(transformers.DebertaV2ForSequenceClassification, config)
    run = runner(build_graph(config.to_dict(), weights_of(model), head="sequence-classification"))
    for tokens in (129, 512, 530):
        feed = token_batch(batch=1, tokens=tokens, vocab_size=VOCAB)
        np.testing.assert_allclose(run(feed)["logits"], peer_outputs(model, feed)["logits"], atol=2e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"position_buckets": 2}, "position_buckets 2"),
        ({"max_relative_positions": 4}, "max_relative_positions 4"),
        ({"conv_kernel_size": 4}, "conv_kernel_size must be odd"),
        ({"hidden_act": "quick_gelu"}, "hidden_act 'quick_gelu'"),
        ({"pooler_hidden_act": "mish"}, "pooler_hidden_act 'mish'"),
    ],
)
def test_options_without_a_graph_are_refused(changes, message, torch_model, weights_of):
    model = torch_model(transformers.DebertaV2ForSequenceClassification, make_config())
    config = make_config().to_dict() | changes
    with pytest.raises(CheckpointError, match=message):
        build_graph(config, weights_of(model), head="sequence-classification")

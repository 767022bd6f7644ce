from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from labelwise.graphs import build_graph
from labelwise.graphs.quantise import ZERO_POINT, quantise_blocks, quantise_rows

floats = st.floats(-1e4, 1e4, width=32)


@settings(max_examples=60, deadline=None)
@given(arrays(np.float32, array_shapes(min_dims=1, max_dims=3, max_side=9), elements=floats))
def test_a_rounded_row_is_off_by_half_a_step_at_most(table):
    integers, scales = quantise_rows(table)
    assert integers.min(initial=0) >= -127
    assert (np.abs(integers * scales - table) <= scales * 0.501).all()


@settings(max_examples=60, deadline=None)
@given(arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 80)), elements=floats))
def test_blocks_unfold_to_the_matrix_and_a_filling_of_zeros(weight):
    integers, scales = quantise_blocks(weight, 32)
    unfolded = (integers.astype(np.float32) - ZERO_POINT) * scales[..., None]
    flat = unfolded.reshape(weight.shape[0], -1)
    steps = np.repeat(scales, 32, axis=1)[:, : weight.shape[1]]
    assert (np.abs(flat[:, : weight.shape[1]] - weight) <= steps * 0.501).all()
    assert not flat[:, weight.shape[1] :].any()


@pytest.mark.parametrize("fused", [True, False], ids=["fused", "standard"])
@pytest.mark.parametrize("family", ["Bert", "Roberta", "DebertaV2"])
def test_eight_bits_stay_near_the_float_model_and_store_no_float_matrix(
    family, fused, torch_model, weights_of, peer_outputs, token_batch, runner
):
    transformers = pytest.importorskip("transformers")
    relative = {"relative_attention": True, "position_buckets": 8, "pos_att_type": "c2p|p2c"}
    config = getattr(transformers, f"{family}Config")(
        vocab_size=200,
        hidden_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=96,
        max_position_embeddings=40,
        num_labels=3,
        **relative if family == "DebertaV2" else {},
    )
    model = torch_model(getattr(transformers, f"{family}ForSequenceClassification"), config)
    graph = build_graph(
        config.to_dict(), weights_of(model), head="sequence-classification", weights="int8", fused=fused
    )
    large_floats = [
        constant.name
        for constant in graph.graph.initializer
        if constant.data_type == 1 and np.prod(constant.dims) > 48 * 48
    ]
    assert large_floats == []
    feed = token_batch(batch=4, tokens=30, vocab_size=200, num_types=config.type_vocab_size, pad_id=1)
    theirs = peer_outputs(model, feed)["logits"]
    error = np.abs(runner(graph)(feed)["logits"] - theirs).max()
    assert 0 < error < 0.1 * theirs.std() + 0.05

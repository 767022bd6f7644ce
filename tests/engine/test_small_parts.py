"""Weights in 8 bits, and packing: small and pure."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from labelwise.engine.packing import PositionRule, first_places, pack
from labelwise.engine.small_weights import shrink_weight
from labelwise.text.sequence import TokenSequence


@given(st.integers(1, 9), st.integers(1, 70), st.integers(1, 32), st.integers(0, 5))
def test_a_small_weight_is_within_half_a_step_of_the_weight(size_out, size_in, group_size, seed):
    weight = np.random.default_rng(seed).normal(size=(size_out, size_in)).astype(np.float32)
    small = shrink_weight(weight, group_size=group_size)
    scales = np.repeat(small.scales, group_size, axis=1)[:, :size_in]
    assert small.integers.shape == weight.shape
    assert (np.abs(small.integers * scales - weight) <= scales * 0.5001).all()


def test_a_weight_of_zeros_stays_zero():
    small = shrink_weight(np.zeros((2, 3), np.float32))
    assert not small.integers.any()
    assert np.isfinite(small.scales).all()


def test_rows_lie_end_to_end():
    rows = [TokenSequence(np.array([5, 6, 7])), TokenSequence(np.array([8]), token_types=np.array([1]))]
    batch = pack(rows, PositionRule(), kept=first_places(rows))
    assert batch.offsets.tolist() == [0, 3, 4]
    assert batch.ids.tolist() == [5, 6, 7, 8]
    assert batch.positions.tolist() == [0, 1, 2, 0]
    assert batch.types.tolist() == [0, 0, 0, 1]
    assert batch.segments is None
    assert batch.kept.tolist() == [0, 3]


def test_kept_tokens_are_named_by_their_place_in_the_whole_batch():
    rows = [TokenSequence(np.array([5, 6, 7])), TokenSequence(np.array([8, 9]))]
    kept = [np.array([0, 2]), np.array([1])]
    assert pack(rows, PositionRule(), kept=kept).kept.tolist() == [0, 2, 4]
    assert pack(rows, PositionRule()).kept is None


def test_roberta_counts_past_its_padding_id():
    rule = PositionRule.of({"model_type": "roberta", "pad_token_id": 1})
    assert rule.positions(TokenSequence(np.array([0, 7, 1, 8]))).tolist() == [2, 3, 1, 4]


def test_positions_that_a_row_brings_along_count():
    row = TokenSequence(np.array([5, 6]), position_ids=np.array([4, 9]))
    assert PositionRule().positions(row).tolist() == [4, 9]

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from labelwise.backends.pad import pad
from labelwise.text.sequence import TokenSequence

ids = st.lists(st.integers(0, 1000), min_size=1, max_size=12)


@given(rows=st.lists(ids, max_size=6), pad_id=st.integers(0, 5))
def test_each_row_is_found_again_under_its_mask_and_the_rest_is_padding(rows, pad_id):
    batch = pad([TokenSequence(np.array(row, np.int64)) for row in rows], pad_token_id=pad_id)
    assert batch.input_ids.shape == (len(rows), max(map(len, rows), default=0))
    for row, values, mask in zip(rows, batch.input_ids, batch.attention_mask, strict=True):
        assert values[mask == 1].tolist() == row
        assert set(values[mask == 0].tolist()) <= {pad_id}
        assert sorted(mask.tolist(), reverse=True) == mask.tolist()
    assert not batch.token_type_ids.any()


def test_token_types_are_kept_and_padded_with_zero():
    rows = [TokenSequence(np.array([1, 2, 3]), token_types=np.array([0, 1, 1])), TokenSequence(np.array([1]))]
    assert pad(rows, pad_token_id=9).token_type_ids.tolist() == [[0, 1, 1], [0, 0, 0]]


def test_arrays_are_given_by_the_networks_input_names():
    batch = pad([TokenSequence(np.array([4, 5]))], pad_token_id=0)
    assert batch.array("input_ids") is batch.input_ids
    assert batch.array("attention_mask") is batch.attention_mask
    assert batch.array("token_type_ids") is batch.token_type_ids


def test_label_positions_are_padded_with_minus_one_and_the_text_mask_with_zero():
    rows = [
        TokenSequence(
            np.array([1, 2, 3]), label_positions=np.array([1, 2]), text_mask=np.array([True, False, False])
        ),
        TokenSequence(np.array([1]), label_positions=np.array([0]), text_mask=np.array([True])),
    ]
    batch = pad(rows, pad_token_id=9)
    assert batch.array("label_positions").tolist() == [[1, 2], [0, -1]]
    assert batch.array("text_mask").tolist() == [[1, 0, 0], [1, 0, 0]]
    assert pad([TokenSequence(np.array([1]))], pad_token_id=9).label_positions.tolist() == [[-1]]


def test_segments_and_positions_are_those_of_a_plain_text_unless_a_row_brings_its_own():
    rows = [
        TokenSequence(np.array([1, 2, 3]), segment_ids=np.array([0, 1, 2]), position_ids=np.array([0, 1, 1])),
        TokenSequence(np.array([4, 5])),
    ]
    batch = pad(rows, pad_token_id=9)
    assert batch.array("segment_ids").tolist() == [[0, 1, 2], [0, 0, -1]]
    assert batch.array("position_ids").tolist() == [[0, 1, 1], [0, 1, 0]]

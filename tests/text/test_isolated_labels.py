import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelwise.errors import TextTooLongError
from labelwise.text.isolated_labels import IsolatedLabelsLayout
from labelwise.text.pair import PairLayout

LAYOUT = IsolatedLabelsLayout(cls=2, sep=3, max_tokens=64)
IDS = st.lists(st.integers(5, 90), min_size=1, max_size=8)


def ids(*values):
    return np.array(values, dtype=np.int64)


def test_a_row_holds_the_text_once_and_each_label_behind_it():
    row = LAYOUT.assemble(ids(7, 8), [ids(5), ids(6, 6)])
    assert row.ids.tolist() == [2, 7, 8, 3, 5, 3, 6, 6, 3]
    assert row.segment_ids.tolist() == [0, 0, 0, 0, 1, 1, 2, 2, 2]
    assert row.position_ids.tolist() == [0, 1, 2, 3, 4, 5, 4, 5, 6]
    assert row.token_types.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 1]
    assert row.label_positions.tolist() == [5, 8]


@given(text=IDS, labels=st.lists(IDS, min_size=1, max_size=5))
def test_each_label_stands_as_it_would_alone(text, labels):
    """Its tokens, types and positions are those of a pair of the text and this label."""
    row = LAYOUT.assemble(np.array(text), [np.array(label) for label in labels])
    pair = PairLayout((2,), (3,), (3,), has_token_types=True, max_tokens=64)
    for number, label in enumerate(labels, start=1):
        alone = pair.assemble(text, label)
        own = np.isin(row.segment_ids, [0, number])
        assert row.ids[own].tolist() == alone.ids.tolist()
        assert row.token_types[own].tolist() == alone.token_types.tolist()
        assert row.position_ids[own].tolist() == list(range(len(alone)))


def test_many_labels_need_no_more_positions_than_the_longest():
    row = LAYOUT.assemble(ids(7), [ids(*[5] * 9)] * 100)
    assert len(row) == 3 + 100 * 10
    assert row.position_ids.max() == 12


def test_a_label_that_does_not_fit_beside_the_text_is_refused_with_both_lengths():
    with pytest.raises(TextTooLongError, match="take 65 tokens, the model reads 64"):
        LAYOUT.assemble(ids(*[7] * 60), [ids(5, 5)])


def test_the_layout_of_a_models_pairs_gives_the_layout_of_its_labels():
    pairs = PairLayout((2,), (3,), (3,), has_token_types=True, max_tokens=128)
    assert IsolatedLabelsLayout.beside(pairs) == IsolatedLabelsLayout(cls=2, sep=3, max_tokens=128)

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelwise.errors import TextTooLongError
from labelwise.text.label_list import LabelBudget, LabelListLayout

LAYOUT = LabelListLayout(cls=1, sep=2, lab=9, max_tokens=20, max_labels=20, min_text_tokens=5)
lengths = st.lists(st.integers(0, 40), max_size=30)


def ids(*values):
    return np.array(values, dtype=np.int64)


def test_the_row_is_the_published_one():
    row = LAYOUT.assemble(ids(11, 12), [ids(21), ids(31, 32)])
    assert row.ids.tolist() == [1, 11, 12, 2, 21, 9, 31, 32, 9]
    assert row.label_positions.tolist() == [5, 8]
    assert row.text_mask.tolist() == [True] * 4 + [False] * 5


def test_a_row_beyond_the_window_is_refused_and_not_cut():
    with pytest.raises(TextTooLongError, match="21 tokens, the model reads 20"):
        LAYOUT.assemble(ids(*range(100, 117)), [ids(5)])


def test_the_published_mask_numbers_the_tokens_of_each_label():
    row, marks = LAYOUT.assemble_published(ids(11, 12), [ids(21), ids(31, 32)], LabelBudget(max_tokens=20))
    assert row.tolist() == [1, 11, 12, 2, 21, 9, 31, 32, 9]
    assert marks.tolist() == [0, 0, 0, 0, 1, 0, 2, 2, 0]


def test_the_first_step_leaves_the_text_whole_and_shares_by_length():
    # 30 - 2 - 10 - 3 = 15 tokens for labels; 3 * 2 are certain, 9 are shared as 2 : 4 : 10 of 16.
    budget = LabelBudget(max_tokens=30, max_tokens_per_span=16, min_label_tokens=2)
    assert budget.kept(10, [2, 4, 10]) == (10, (2, 4, 7))


def test_the_second_step_cuts_labels_to_the_minimum_and_then_the_text():
    # 30 - 2 - 26 - 3 is below 3 * 2, so labels keep 2 and the text 30 - 2 - 6 - 3 = 19.
    budget = LabelBudget(max_tokens=30, max_tokens_per_span=16, min_label_tokens=2)
    assert budget.kept(26, [2, 4, 10]) == (19, (2, 2, 2))


def test_a_text_without_labels_is_cut_to_the_row():
    assert LabelBudget(max_tokens=30).kept(50, []) == (28, ())


def test_the_published_cut_loses_labels_at_the_rows_end():
    budget = LabelBudget(max_tokens=20, min_text_tokens=5, min_label_tokens=1)
    row, marks = LAYOUT.assemble_published(ids(*range(50, 60)), [ids(30 + k) for k in range(12)], budget)
    assert len(row) == len(marks) == 20
    assert marks.max() < 12


@given(num_text=st.integers(0, 80), labels=lengths, max_tokens=st.integers(8, 64))
def test_nothing_grows_and_what_fits_is_left_alone(num_text, labels, max_tokens):
    budget = LabelBudget(max_tokens=max_tokens, max_tokens_per_span=16, min_text_tokens=5, min_label_tokens=1)
    text, kept = budget.kept(num_text, labels)
    assert text <= num_text
    assert all(have <= length for have, length in zip(kept, labels, strict=True))
    capped = [min(length, 16) for length in labels]
    if 2 + num_text + sum(capped) + len(labels) <= max_tokens:
        assert (text, list(kept)) == (num_text, capped)


@given(num_text=st.integers(0, 80), labels=lengths)
def test_whenever_the_minimum_fits_no_label_is_lost(num_text, labels):
    budget = LabelBudget(max_tokens=100, max_tokens_per_span=16, min_text_tokens=5, min_label_tokens=1)
    row, _ = LAYOUT.assemble_published(
        np.full(num_text, 50), [np.full(length, 60) for length in labels], budget
    )
    assert len(row) <= 100
    assert (row == 9).sum() == len(labels)

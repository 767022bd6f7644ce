"""A batch plan holds every row once and stays within its budget."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelwise.batching import plan_batches
from labelwise.errors import InputError

lengths = st.lists(st.integers(1, 600), max_size=300)


@given(lengths, st.integers(1, 4096))
def test_every_row_is_planned_once(rows, max_tokens):
    batches = plan_batches(rows, max_tokens=max_tokens)
    assert sorted(np.concatenate(batches).tolist() if batches else []) == list(range(len(rows)))


@given(lengths, st.integers(1, 4096))
def test_padded_batches_stay_within_the_budget(rows, max_tokens):
    for batch in plan_batches(rows, max_tokens=max_tokens):
        assert len(batch) == 1 or len(batch) * max(rows[place] for place in batch) <= max_tokens


def test_sorting_keeps_padding_small():
    rows = [10, 500] * 50
    padded = sum(
        len(batch) * max(rows[place] for place in batch) for batch in plan_batches(rows, max_tokens=2000)
    )
    assert padded <= 1.05 * sum(rows)


def test_a_row_longer_than_the_budget_gets_its_own_batch():
    assert [batch.tolist() for batch in plan_batches([5, 900, 6], max_tokens=100)] == [[0, 2], [1]]


def test_a_budget_below_one_is_refused():
    with pytest.raises(InputError, match="batch_tokens must be at least 1, got 0"):
        plan_batches([1], max_tokens=0)

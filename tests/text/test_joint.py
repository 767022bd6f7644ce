import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelwise.errors import InputError
from labelwise.text.joint import split_labels

costs = st.lists(st.integers(1, 30), min_size=1, max_size=60)


@given(costs=costs, max_labels=st.integers(1, 25), budget=st.integers(1, 80))
def test_every_label_is_in_exactly_one_row_in_order(costs, max_labels, budget):
    runs = split_labels(costs, max_labels=max_labels, budget=budget)
    assert [place for run in runs for place in run] == list(range(len(costs)))


@given(costs=costs, max_labels=st.integers(1, 25), budget=st.integers(1, 80))
def test_a_row_keeps_both_limits_unless_one_label_is_too_much(costs, max_labels, budget):
    for run in split_labels(costs, max_labels=max_labels, budget=budget):
        assert 1 <= len(run) <= max_labels
        assert len(run) == 1 or sum(costs[place] for place in run) <= budget


@given(num_labels=st.integers(1, 100), max_labels=st.integers(1, 25))
def test_rows_are_as_few_and_as_even_as_can_be(num_labels, max_labels):
    sizes = [len(run) for run in split_labels([1] * num_labels, max_labels=max_labels, budget=1000)]
    assert len(sizes) == -(-num_labels // max_labels)
    assert max(sizes) - min(sizes) <= 1


def test_a_limit_below_one_is_refused():
    with pytest.raises(InputError, match="max_labels must be at least 1"):
        split_labels([1], max_labels=0, budget=5)


def test_one_long_label_does_not_scatter_the_others():
    costs = [3] * 60
    costs[30] = 200
    runs = split_labels(costs, max_labels=20, budget=100)
    assert range(30, 31) in runs
    assert len(runs) <= 6

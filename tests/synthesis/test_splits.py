from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelwise.errors import InputError
from labelwise.synthesis.rows import label_key
from labelwise.synthesis.splits import split_by_label

NAMES = [f"label {number}" for number in range(12)]
SIDES = st.tuples(
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=3), st.lists(st.sampled_from(NAMES), max_size=3)
)


def rows_of(sides) -> list[dict]:
    return [
        {
            "text": f"text {number}",
            "labels": true,
            "not_labels": [label for label in false if label not in true],
        }
        for number, (true, false) in enumerate(sides)
    ]


def true_in(rows) -> set[str]:
    return {label_key(label) for row in rows for label in row["labels"]}


ROWS = st.lists(SIDES, min_size=3, max_size=40).map(rows_of).filter(lambda rows: len(true_in(rows)) >= 3)
SHARES = st.floats(0.01, 0.3)


def mentioned(rows) -> set[str]:
    return {label_key(label) for row in rows for label in [*row["labels"], *row["not_labels"]]}


def is_true_in(row, labels) -> bool:
    return any(label_key(label) in labels for label in row["labels"])


@given(ROWS, SHARES, st.integers(0, 9))
def test_held_out_labels_never_reach_training(rows, share, seed):
    split = split_by_label(rows, held_out_share=share, seed=seed)
    assert not mentioned(split.train) & (split.validation_labels | split.test_labels)
    assert not mentioned(split.validation) & split.test_labels
    assert all(is_true_in(row, split.test_labels) for row in split.test)
    assert all(is_true_in(row, split.validation_labels) for row in split.validation)


@given(ROWS, SHARES, st.integers(0, 9))
def test_every_row_is_in_one_part_and_in_order(rows, share, seed):
    split = split_by_label(rows, held_out_share=share, seed=seed)
    places = {row["text"]: place for place, row in enumerate(rows)}
    parts = [
        [places[row["text"]] for row in part]
        for part in (split.train, split.validation, split.test, split.dropped)
    ]
    assert sorted(place for part in parts for place in part) == list(range(len(rows)))
    assert all(part == sorted(part) for part in parts)


@given(ROWS, SHARES, st.integers(0, 9))
def test_a_row_is_dropped_only_for_a_held_out_label(rows, share, seed):
    split = split_by_label(rows, held_out_share=share, seed=seed)
    held_out = split.validation_labels | split.test_labels
    assert all(mentioned([row]) & held_out for row in split.dropped)
    assert not any(is_true_in(row, split.test_labels) for row in split.dropped)


@given(ROWS, SHARES, st.integers(0, 9), st.randoms())
def test_the_labels_drawn_do_not_depend_on_the_order_of_the_rows(rows, share, seed, random):
    split = split_by_label(rows, held_out_share=share, seed=seed)
    shuffled = list(rows)
    random.shuffle(shuffled)
    again = split_by_label(shuffled, held_out_share=share, seed=seed)
    assert (again.validation_labels, again.test_labels) == (split.validation_labels, split.test_labels)
    assert {row["text"] for row in again.train} == {row["text"] for row in split.train}


@given(ROWS, st.integers(0, 9))
def test_validation_and_test_have_labels_of_their_own(rows, seed):
    split = split_by_label(rows, seed=seed)
    assert not split.validation_labels & split.test_labels
    assert split.test
    assert len(split.validation_labels) == len(split.test_labels) == 1


def test_the_share_is_of_the_distinct_true_labels():
    rows = [{"text": f"t{number}", "labels": [f"l{number}"], "not_labels": ["l0"]} for number in range(600)]
    split = split_by_label(rows)
    assert len(split.validation_labels) == len(split.test_labels) == 4


def test_two_spellings_of_a_label_are_held_out_together():
    rows = [{"text": label, "labels": [label]} for label in ("Tea_Time", "tea  time", "rain", "bus")]
    for seed in range(20):
        split = split_by_label(rows, seed=seed)
        parts = (split.train, split.validation, split.test)
        assert sorted(len(part) for part in parts) == [1, 1, 2]
        assert ["Tea_Time", "tea  time"] in [[row["text"] for row in part] for part in parts]


@pytest.mark.parametrize("share", [0, 0.5, -1, float("nan")])
def test_a_share_that_leaves_no_training_is_refused(share):
    with pytest.raises(InputError, match="held_out_share"):
        split_by_label([{"labels": ["a"]}, {"labels": ["b"]}, {"labels": ["c"]}], held_out_share=share)


def test_too_few_labels_are_refused():
    with pytest.raises(InputError, match="2 distinct"):
        split_by_label([{"labels": ["a"]}, {"labels": ["b"]}])


def test_a_bare_string_in_place_of_a_list_is_refused():
    with pytest.raises(InputError, match="abc"):
        split_by_label([{"labels": "abc"}])

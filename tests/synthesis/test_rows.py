from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from labelwise.synthesis.rows import SyntheticRow, label_key, merged, text_key

LABELS = st.lists(
    st.sampled_from(["rain", "Rain", "tea", "long_walk", "long walk", "bus", "tram"]), max_size=4
)


def row(labels, not_labels) -> SyntheticRow:
    return SyntheticRow("A text.", tuple(labels), tuple(not_labels), "memo", "line", "A1", 3, "m")


def keys(labels) -> set[str]:
    return {label_key(label) for label in labels}


def test_a_row_comes_back_from_its_dictionary():
    one = row(["rain"], ["tea"])
    assert SyntheticRow.from_dict(one.to_dict()) == one
    assert list(one.to_dict())[:3] == ["text", "labels", "not_labels"]


def test_texts_that_differ_in_case_space_or_form_only_are_the_same():
    assert text_key("  \uff34he\tRAIN \n") == text_key("the rain")
    assert text_key("the rain") != text_key("the rains")


def test_what_is_true_of_one_copy_is_not_false_of_both():
    both = merged(row(["rain"], ["tea", "bus"]), labels=["Tea"], not_labels=["rain", "tram"])
    assert both.labels == ("rain", "Tea")
    assert both.not_labels == ("bus", "tram")


@given(LABELS, LABELS, LABELS, LABELS, LABELS, LABELS)
def test_merging_takes_the_union_in_any_order(true_1, false_1, true_2, false_2, true_3, false_3):
    onward = merged(row(true_1, false_1), labels=true_2, not_labels=false_2)
    onward = merged(onward, labels=true_3, not_labels=false_3)
    backward = merged(row(true_3, false_3), labels=true_2, not_labels=false_2)
    backward = merged(backward, labels=true_1, not_labels=false_1)
    all_true = keys(true_1 + true_2 + true_3)
    assert keys(onward.labels) == keys(backward.labels) == all_true
    all_false = keys(false_1 + false_2 + false_3) - all_true
    assert keys(onward.not_labels) == keys(backward.not_labels) == all_false
    assert len(keys(onward.labels)) == len(onward.labels)


@given(LABELS, LABELS, LABELS, LABELS)
def test_merging_the_same_copy_again_changes_nothing(true_1, false_1, true_2, false_2):
    once = merged(row(true_1, false_1), labels=true_2, not_labels=false_2)
    assert merged(once, labels=true_2, not_labels=false_2) == once

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelwise.evaluation.registry import RegisteredClass, RegisteredDataset, find_dataset
from labelwise.evaluation.registry_rows import LeftOutRow, RegisteredRow, is_held_out, registered_rows

GOOD = {
    "name": "colours",
    "task": "classification",
    "train_split": "train",
    "test_splits": {"colours": "test"},
    "text_columns": ("text",),
    "label_column": "label",
    "classes": {"r": RegisteredClass("red", "It is red."), "b": RegisteredClass("blue", "It is blue.")},
    "licence": "MIT",
    "hub": "owner/colours",
}


def read(rows, part="train", **fields):
    numbered = enumerate(rows, start=1)
    return list(registered_rows(RegisteredDataset(**{**GOOD, **fields}), numbered, part=part))


def test_rows_become_texts_with_class_names():
    assert read([{"text": " rose ", "label": "r"}]) == [RegisteredRow(1, "rose", "red")]


@pytest.mark.parametrize(
    ("row", "reason", "is_planned"),
    [
        ({"text": "x", "label": "green"}, "'green' is not registered", False),
        ({"text": " ", "label": "r"}, "empty", False),
        ({"label": "r"}, "no column 'text' but label", False),
        ({"text": "x", "label": "o"}, "'o' is excluded", True),
        ({"text": "x", "label": -1}, "agreed on no label", True),
        ({"text": "x", "label": ["r", "b"]}, "disagree", True),
    ],
)
def test_a_row_without_use_says_why_and_whether_that_was_planned(row, reason, is_planned):
    (left_out,) = read([row], excluded_classes=("o",))
    assert isinstance(left_out, LeftOutRow)
    assert reason in left_out.reason
    assert left_out.is_planned is is_planned


def test_a_doubled_text_is_trained_on_once_and_tested_on_as_it_comes():
    rows = [{"text": "x", "label": "r"}, {"text": "x", "label": "b"}]
    assert [type(row) for row in read(rows)] == [RegisteredRow, LeftOutRow]
    assert [type(row) for row in read(rows, part="test")] == [RegisteredRow, RegisteredRow]


def test_number_labels_between_the_ranges_are_left_out():
    rows = [{"text": str(number), "label": number} for number in (0, 1, 2, 3)]
    found = read(rows, label_ranges={"r": (0, 1), "b": (3, 3)})
    assert [getattr(row, "label", None) for row in found] == ["red", "red", None, "blue"]
    (bad,) = read([{"text": "x", "label": "many"}], label_ranges={"r": (0, 1)})
    assert not bad.is_planned


def test_the_votes_on_one_text_are_averaged():
    votes = [("a", "1.0"), ("b", "0.0"), ("a", "1.0"), ("a", ""), ("b", "1.0"), ("c", 0)]
    rows = [{"text": text, "label": vote} for text, vote in votes]
    found = read(rows, label_ranges={"r": (0.7, 1.0), "b": (0.0, 0.3)}, average_labels_per_text=True)
    assert found[0] == RegisteredRow(1, "a", "red")
    assert found[1].is_planned
    assert found[2] == RegisteredRow(6, "c", "blue")


def test_the_rows_of_a_dialogue_become_one_text():
    rows = [
        {"id": 1, "prompt": "my dog", "said": "Hi_comma_ you", "label": "r"},
        {"id": 1, "prompt": "my dog", "said": "Oh &amp; no", "label": "r"},
        {"id": 2, "prompt": "a cat", "said": "Yes", "label": "b"},
    ]
    found = read(
        rows,
        text_columns=("prompt", "said"),
        group_column="id",
        replacements={"_comma_": ","},
        unescape_html=True,
    )
    assert [row.text for row in found] == ["my dog\nHi, you\nOh & no", "a cat\nYes"]


def test_labels_are_found_inside_objects_and_lists_of_words_become_a_text():
    for votes in ({"label": ["r", "r"]}, [{"label": "r"}, {"label": "r"}]):
        (row,) = read([{"text": ["two", "words"], "votes": votes}], label_column="votes.label")
        assert row == RegisteredRow(1, "two words", "red")


@given(texts=st.lists(st.text(min_size=1).filter(str.strip), min_size=1, unique_by=str.strip))
def test_each_text_of_a_set_without_test_split_is_on_exactly_one_side(texts):
    rows = [{"text": text, "label": "r"} for text in texts]
    fields = {"test_splits": {"colours": "train"}, "test_share": 0.3}
    sides = [
        {row.text for row in read(rows, part=part, **fields) if isinstance(row, RegisteredRow)}
        for part in ("train", "test")
    ]
    assert sides[0].isdisjoint(sides[1])
    assert sides[0] | sides[1] == {text.strip() for text in texts}


def test_about_the_wanted_share_is_held_out():
    held_out = sum(is_held_out(f"text {number}", 0.2) for number in range(5000))
    assert 900 < held_out < 1100


def test_nli_rows_keep_their_hypothesis_and_fever_is_read_the_right_way_round():
    rows = [(1, {"premise": "The claim.", "hypothesis": "The evidence.", "label": "neutral"})]
    (row,) = registered_rows(find_dataset("fevernli"), rows, part="train")
    assert row == RegisteredRow(1, "The evidence.", "neutral", "The claim.")

from __future__ import annotations

import pytest

from labelwise.errors import DataError
from labelwise.synthesis.rows import label_key
from labelwise.training.labels.rows import held_out_rows, read_label_rows


def test_bad_rows_are_named_and_the_rest_is_read(write_rows):
    good = {"text": "a boat", "labels": ["boats"], "not_labels": ["bread"]}
    first = write_rows("first.jsonl", [good, "{broken", {"text": "a shop", "labels": "shops"}])
    second = write_rows(
        "second.jsonl.gz", [{"text": "bread", "labels": ["bread"]}, {"text": "x", "labels": ["ab"]}]
    )
    found = read_label_rows([first, second], min_label_characters=4)
    assert [row.text for row in found.rows] == ["a boat", "bread"]
    assert len(found.left_out) == 3
    assert found.left_out[0].startswith("first.jsonl row 2")
    assert found.left_out[1].startswith("first.jsonl row 3")
    assert "second.jsonl.gz 'x'" in found.left_out[2]


def test_labels_are_stripped_and_short_or_repeated_ones_dropped(write_rows):
    row = {"text": "a boat", "labels": ["  boats ", "sea", "Boats"], "not_labels": ["bread", "BOATS "]}
    (clean,) = read_label_rows([write_rows("rows.jsonl", [row])], min_label_characters=4).rows
    assert clean.labels == ("boats",)
    assert clean.not_labels == ("bread",)


def test_a_text_that_comes_twice_keeps_what_is_true_anywhere(write_rows):
    rows = [
        {"text": "A boat", "labels": ["boats"], "not_labels": ["travel", "bread"]},
        {"text": "a  boat", "labels": ["travel"], "not_labels": ["shops"]},
    ]
    (clean,) = read_label_rows([write_rows("rows.jsonl", rows)], min_label_characters=4).rows
    assert set(clean.labels) == {"boats", "travel"}
    assert set(clean.not_labels) == {"bread", "shops"}


def test_a_file_without_a_usable_label_is_refused(write_rows):
    path = write_rows("rows.jsonl", [{"text": "a boat", "labels": ["sea"]}])
    with pytest.raises(DataError, match="no usable row"):
        read_label_rows([path], min_label_characters=4)


def test_validation_holds_labels_that_no_training_row_mentions(write_rows):
    names = [f"topic {number}" for number in range(30)]
    rows = [
        {"text": f"text {number}", "labels": [name], "not_labels": [names[number - 1]]}
        for number, name in enumerate(names)
    ]
    found = read_label_rows([write_rows("rows.jsonl", rows)], min_label_characters=4)
    train, validation, num_held_out = held_out_rows(found.rows, share=0.1, seed=1)
    mentioned = {label_key(label) for row in train for label in (*row.labels, *row.not_labels)}
    assert num_held_out == 3
    assert len(validation) == 3
    assert all(label_key(row.labels[0]) not in mentioned for row in validation)

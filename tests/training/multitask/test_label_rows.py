from __future__ import annotations

from labelwise.training.multitask.label_rows import read_source
from labelwise.training.multitask.recipe import LabelSource


def read(write_rows, rows, **settings):
    path = write_rows("rows.jsonl", rows)
    source = LabelSource(path.name, "texts", "own", **settings)
    return read_source(source, path.parent, seed=1)


def test_labels_cut_at_a_mark_become_one_set(write_rows):
    rows = [
        {"text": "good bread", "labels": ["positive about bread"], "not_labels": ["negative about bread"]},
        {"text": "bad boat", "labels": ["negative about boat"], "not_labels": ["neutral about boat"]},
    ]
    found = read(write_rows, rows, cut_labels_at=" about ")
    assert found.label_set == ("negative", "positive")
    assert [(row.labels, row.not_labels) for row in found.rows] == [
        (("positive",), ("negative",)),
        (("negative",), ("neutral",)),
    ]


def test_renamed_labels_fall_together_and_what_is_true_is_not_false_as_well(write_rows):
    rows = [
        {"text": "we laughed", "labels": ["joy", "love"], "not_labels": ["pride", "anger"]},
        {"text": "he shouted", "labels": ["anger"]},
        {"text": "she asked", "labels": ["curiosity"]},
    ]
    names = {"joy": "positive", "love": "positive", "pride": "positive", "anger": "negative"}
    found = read(write_rows, rows, renames=names, kept_labels=("positive", "negative"))
    assert [(row.labels, row.not_labels) for row in found.rows] == [
        (("positive",), ("negative",)),
        (("negative",), ()),
    ]


def test_without_renames_rows_are_read_as_they_stand(write_rows):
    found = read(write_rows, [{"text": "we laughed", "labels": ["joy", "love"]}])
    assert found.rows[0].labels == ("joy", "love")

from __future__ import annotations

import pytest

from labelwise.errors import DataError
from labelwise.files.row import BadRow as UnreadRow
from labelwise.files.row import Row
from labelwise.training.records import Layout, NumberedRows, read_labelled_texts, read_pairs, read_passages

GOOD = {"premise": "It rains.", "hypothesis": "It is wet.", "label": "entailment"}


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
def test_pairs_are_read_plain_and_compressed(write_rows, name):
    read = read_pairs(write_rows(name, [GOOD, {**GOOD, "label": "not_entailment"}]))
    assert [row.label for row in read.rows] == ["entailment", "not_entailment"]
    assert read.bad_rows == ()


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({**GOOD, "label": "maybe"}, "'maybe'"),
        ({**GOOD, "label": -1}, "-1"),
        ({**GOOD, "premise": " "}, "empty"),
        ({"premise": "It rains.", "label": "neutral"}, "'hypothesis'"),
        ("{not json", "not JSON"),
        ([1, 2], "array"),
    ],
)
def test_a_bad_row_is_left_out_and_named_by_file_row_and_reason(write_rows, bad, reason):
    read = read_pairs(write_rows("rows.jsonl", [GOOD, bad, GOOD]))
    assert len(read.rows) == 2
    (named,) = read.bad_rows
    assert str(named).startswith("rows.jsonl row 2: ")
    assert reason in named.reason


def test_blank_lines_are_skipped_but_counted(write_rows):
    read = read_pairs(write_rows("rows.jsonl", ["", GOOD, "", "oops"]))
    assert [row.row_number for row in read.bad_rows] == [4]


def test_a_file_without_a_usable_row_is_an_error_that_shows_the_first_fault(write_rows):
    with pytest.raises(DataError, match=r"no usable row .*row 1: label is 'x'"):
        read_pairs(write_rows("rows.jsonl", [{**GOOD, "label": "x"}]))


def test_a_missing_or_broken_file_is_an_error(tmp_path):
    with pytest.raises(DataError, match="cannot read"):
        read_pairs(tmp_path / "absent.jsonl")
    (tmp_path / "broken.jsonl.gz").write_bytes(b"not gzip")
    with pytest.raises(DataError, match="cannot read"):
        read_pairs(tmp_path / "broken.jsonl.gz")


def test_texts_take_one_label_or_several_and_known_false_ones(write_rows):
    path = write_rows(
        "texts.jsonl",
        [
            {"text": "a", "label": "x"},
            {"text": "b", "labels": ["x", "y"]},
            {"text": "c", "labels": ["x"], "not_labels": ["z"]},
            {"text": "d", "labels": ["x"], "not_labels": ["x"]},
            {"text": "e"},
        ],
    )
    read = read_labelled_texts(path)
    assert [(row.labels, row.not_labels) for row in read.rows] == [
        (("x",), ()),
        (("x", "y"), ()),
        (("x",), ("z",)),
    ]
    assert [row.row_number for row in read.bad_rows] == [4, 5]


def test_passages_keep_their_three_kinds_of_statement(write_rows):
    path = write_rows(
        "p.jsonl", [{"text": "t", "entailed": ["a"], "neutral": [], "contradicted": ["b", "c"]}]
    )
    (row,) = read_passages(path).rows
    assert (row.entailed, row.neutral, row.contradicted) == (("a",), (), ("b", "c"))


SPAM = Layout({"text": "Body", "label": "Class"}, {"0": "ham", "1": "spam", "true": "spam"})


@pytest.mark.parametrize(
    ("label", "meant"), [(0, "ham"), (1.0, "spam"), ("1", "spam"), (True, "spam"), ("ham", "ham")]
)
def test_a_label_of_any_kind_is_found_in_label_names(write_rows, label, meant):
    (row,) = read_labelled_texts(write_rows("t.jsonl", [{"Body": "x", "Class": label}]), layout=SPAM).rows
    assert row.labels == (meant,)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"Body": "x", "Class": 7}, "label 7 is not in label_names"),
        ({"Body": "x", "Class": None}, "label None is not in label_names"),
        ({"text": "x", "Class": 0}, "'text' is None: the row has only 'label'"),
    ],
)
def test_a_row_that_the_layout_does_not_fit_is_named(write_rows, row, reason):
    good = {"Body": "x", "Class": 0}
    (bad,) = read_labelled_texts(write_rows("t.jsonl", [good, row]), layout=SPAM).bad_rows
    assert bad.row_number == 2
    assert bad.reason.startswith(reason)


def test_several_labels_are_renamed_each():
    rows = [Row(1, {"text": "x", "labels": [0, 1, "1"]})]
    (row,) = read_labelled_texts(NumberedRows("here", rows), layout=Layout(label_names=SPAM.label_names)).rows
    assert row.labels == ("ham", "spam")


def test_rows_from_elsewhere_keep_their_numbers_and_what_could_not_be_read():
    rows = [UnreadRow(4, "is broken"), Row(5, GOOD), Row(6, {**GOOD, "premise": ""})]
    read = read_pairs(NumberedRows("a hub set", rows))
    assert len(read.rows) == 1
    assert [str(bad)[:22] for bad in read.bad_rows] == ["a hub set row 4: is br", "a hub set row 6: the p"]


def test_bad_rows_of_a_file_are_told_in_the_order_of_the_file(write_rows):
    rows = ["{", GOOD, {**GOOD, "label": "x"}, "[", GOOD, "{"]
    assert [bad.row_number for bad in read_pairs(write_rows("r.jsonl", rows)).bad_rows] == [1, 3, 4, 6]

from __future__ import annotations

import pytest

from labelwise.errors import DataError
from labelwise.synthesis.rows import label_key
from labelwise.training.labels.recipe import TextSource
from labelwise.training.labels.rows import held_out_rows, read_label_rows


@pytest.fixture
def read(tmp_path):
    """Read files of the folder, each given by its path or as a source."""

    def read_sources(*given, seed=1):
        sources = [TextSource(path=one) if isinstance(one, str) else one for one in given]
        return read_label_rows(sources, tmp_path, min_label_characters=4, seed=seed)

    return read_sources


def test_bad_rows_are_named_and_the_rest_is_read(write_rows, read):
    good = {"text": "a boat", "labels": ["boats"], "not_labels": ["bread"]}
    write_rows("first.jsonl", [good, "{broken", {"text": "a shop", "labels": "shops"}])
    write_rows("second.jsonl.gz", [{"text": "bread", "labels": ["bread"]}, {"text": "x", "labels": ["ab"]}])
    found = read("first.jsonl", "second.jsonl.gz")
    assert [row.text for row in found.rows] == ["a boat", "bread"]
    assert len(found.left_out) == 3
    assert found.left_out[0].startswith("first.jsonl row 2")
    assert found.left_out[1].startswith("first.jsonl row 3")
    assert "second.jsonl.gz 'x'" in found.left_out[2]


def test_labels_are_stripped_and_short_or_repeated_ones_dropped(write_rows, read):
    row = {"text": "a boat", "labels": ["  boats ", "sea", "Boats"], "not_labels": ["bread", "BOATS "]}
    write_rows("rows.jsonl", [row])
    (clean,) = read("rows.jsonl").rows
    assert clean.labels == ("boats",)
    assert clean.not_labels == ("bread",)


def test_a_text_that_comes_twice_keeps_what_is_true_anywhere(write_rows, read):
    rows = [
        {"text": "A boat", "labels": ["boats"], "not_labels": ["travel", "bread"]},
        {"text": "a  boat", "labels": ["travel"], "not_labels": ["shops"]},
    ]
    write_rows("rows.jsonl", rows)
    (clean,) = read("rows.jsonl").rows
    assert set(clean.labels) == {"boats", "travel"}
    assert set(clean.not_labels) == {"bread", "shops"}


def test_a_file_without_a_usable_label_is_refused(write_rows, read):
    write_rows("rows.jsonl", [{"text": "a boat", "labels": ["sea"]}])
    with pytest.raises(DataError, match="no usable row"):
        read("rows.jsonl")


def test_validation_holds_labels_that_no_training_row_mentions(write_rows, read):
    names = [f"topic {number}" for number in range(30)]
    rows = [
        {"text": f"text {number}", "labels": [name], "not_labels": [names[number - 1]]}
        for number, name in enumerate(names)
    ]
    write_rows("rows.jsonl", rows)
    found = read("rows.jsonl")
    train, validation, num_held_out = held_out_rows(found.rows, share=0.1, seed=1)
    mentioned = {label_key(label) for row in train for label in (*row.labels, *row.not_labels)}
    assert num_held_out == 3
    assert len(validation) == 3
    assert all(label_key(row.labels[0]) not in mentioned for row in validation)


def test_columns_and_labels_may_have_names_of_their_own(tmp_path, read):
    (tmp_path / "rows.csv").write_text("body,topic\na boat,1\nbread,2\n")
    source = TextSource(
        path="rows.csv", columns={"text": "body", "label": "topic"}, label_names={"1": "ships", "2": "food"}
    )
    assert [(row.text, row.labels) for row in read(source).rows] == [
        ("a boat", ("ships",)),
        ("bread", ("food",)),
    ]


def test_a_cap_draws_the_same_rows_for_the_same_seed(write_rows, read):
    write_rows("rows.jsonl", [{"text": f"text {number}", "labels": ["boats"]} for number in range(40)])
    capped = TextSource(path="rows.jsonl", max_rows=5)
    first, again, other = (read(capped, seed=seed).rows for seed in (1, 1, 2))
    assert len(first) == 5
    assert first == again != other
    assert len(read(TextSource(path="rows.jsonl", max_rows=99)).rows) == 40


def test_a_row_counts_for_every_file_that_has_its_text(write_rows, read):
    write_rows("a.jsonl", [{"text": "a boat", "labels": ["boats"]}, {"text": "a shop", "labels": ["shops"]}])
    write_rows("b.jsonl", [{"text": "A boat", "labels": ["travel"]}])
    found = read("a.jsonl", "b.jsonl")
    assert found.count_by_path(found.rows) == {"a.jsonl": 2, "b.jsonl": 1}
    assert found.count_by_path(found.rows[1:]) == {"a.jsonl": 1}

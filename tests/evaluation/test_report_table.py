"""Measures shown as text, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from labelwise.evaluation.report_table import (
    flatten_measures,
    mean_rows,
    render_blocks,
    render_csv,
    render_json,
    render_text,
    turned,
)

ROWS = [
    {"set": "imdb", "f1": np.float32(0.5), "num_texts": 20, "qa": {"exact": 80.0}},
    {"set": "a much longer name", "f1": float("nan"), "confusion": [[1, 2]]},
]


def test_nested_measures_get_dotted_names_and_lists_are_left_out():
    assert flatten_measures(ROWS[0])["qa.exact"] == 80.0
    assert "confusion" not in flatten_measures({"confusion": np.ones((2, 2)), "f1": 1.0})


def test_every_line_of_the_table_has_its_columns_at_the_same_place():
    lines = render_text(ROWS, decimals=2).splitlines()
    assert lines[0].split() == ["set", "f1", "num_texts", "qa.exact"]
    assert lines[2].split() == ["imdb", "0.50", "20", "80.00"]
    assert lines[3].startswith("a much longer name     -")
    assert len({len(line) for line in lines}) == 1


def test_a_line_break_in_a_name_does_not_tear_the_table():
    assert len(render_text([{"set": "two\nlines", "f1": 1.0}]).splitlines()) == 3


def test_csv_reads_back_with_full_precision():
    found = list(csv.DictReader(io.StringIO(render_csv([{"set": 'a "b", c', "f1": 1 / 3}, {"set": "d"}]))))
    assert found[0]["set"] == 'a "b", c'
    assert float(found[0]["f1"]) == 1 / 3
    assert found[1]["f1"] == ""


def test_json_holds_everything_and_no_nan():
    found = json.loads(render_json(ROWS))
    assert found[0]["qa"] == {"exact": 80.0}
    assert found[1]["f1"] is None
    assert found[1]["confusion"] == [[1, 2]]
    assert json.loads(render_json({"counts": np.arange(2)})) == {"counts": [0, 1]}


def test_no_rows_make_an_empty_table():
    assert render_text([]).strip() == ""
    assert json.loads(render_json([])) == []


SETS = [{"set": f"set {number}", "accuracy": 0.5, "macro_f1": number / 10} for number in range(12)]


def test_a_wide_table_is_broken_into_blocks_that_fit():
    table = render_blocks(turned(SETS, name="set", measures=["accuracy", "macro_f1"]), width=60)
    assert all(len(line) <= 60 for line in table.splitlines())
    assert table.count("measure") == table.count("\n\n") + 1
    assert all(f"set {number}" in table for number in range(12))


def test_a_mean_says_over_how_many_sets_it_is():
    rows = [*SETS[:3], {"set": "gone", "missing": "no file"}]
    (mean,) = mean_rows(rows, name="set", groups={"": [row["set"] for row in rows]})
    assert mean == {"set": "mean of 3 of 4", "accuracy": 0.5, "macro_f1": pytest.approx(0.1)}


def test_a_mean_is_over_measures_that_all_sets_of_the_group_have():
    rows = [{"set": "a", "accuracy": 1.0, "mrr": 0.5}, {"set": "b", "accuracy": 0.0}]
    both, one, none = mean_rows(rows, name="set", groups={"": ["a", "b"], "rank": ["a"], "answer": []})
    assert both == {"set": "mean of 2", "accuracy": 0.5}
    assert one == {"set": "mean of 1 rank", "accuracy": 1.0, "mrr": 0.5}
    assert none == {"set": "mean of 0 answer"}


def test_speeds_have_one_decimal():
    assert render_text([{"set": "a", "texts_per_s": 1.26}]).splitlines()[2].split() == ["a", "1.3"]

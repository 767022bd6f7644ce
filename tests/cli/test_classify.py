"""``labelwise classify`` on arguments, on stdin and on files."""

import csv
import json

import pytest

LABELS = "billing problem,delivery delay,product praise"
TEXTS = [
    "My card was charged twice for the same coffee",
    "The parcel is a week late",
    "I love this kettle, it is wonderful",
]


def lines(out):
    return [json.loads(line) for line in out.splitlines()]


def test_the_first_command_of_the_readme(labelwise):
    found = labelwise("classify", TEXTS[0], "--labels", LABELS)
    assert found.status == 0
    first_label = found.out.splitlines()[1]
    assert first_label.split("  ")[1] == "billing problem"
    assert first_label.endswith("*")


def test_json_is_one_object_per_text(labelwise):
    found = lines(labelwise("classify", *TEXTS, "--labels", LABELS, "--json").out)
    assert [one["text"] for one in found] == TEXTS
    assert [one["best"] for one in found] == LABELS.split(",")
    assert sum(label["score"] for label in found[0]["labels"]) == pytest.approx(1.0)


def test_stdin_lines_are_texts(labelwise):
    piped = labelwise("classify", "--labels", LABELS, "--json", stdin="\n".join(TEXTS) + "\n\n")
    assert lines(piped.out) == lines(labelwise("classify", *TEXTS, "--labels", LABELS, "--json").out)


def test_a_label_in_quotes_may_hold_a_comma(labelwise):
    (found,) = lines(labelwise("classify", TEXTS[1], "--labels", '"late, or lost",praise', "--json").out)
    assert {label["label"] for label in found["labels"]} == {"late, or lost", "praise"}


def test_labels_from_a_json_file_may_be_nested(labelwise, tmp_path):
    (tmp_path / "labels.json").write_text(
        '{"money": ["billing problem", "refund"], "shipping": {"delay": null}}'
    )
    (found,) = lines(labelwise("classify", TEXTS[0], "--labels-file", tmp_path / "labels.json", "--json").out)
    assert found["labels"][0]["path"] == ["money", "billing problem"]


def test_none_of_these(labelwise):
    (found,) = lines(
        labelwise(
            "classify", "Water boils at 100 degrees.", "--labels", "billing problem,car accident",
            "--none-label", "something else", "--json",
        ).out
    )  # fmt: skip
    assert found["best"] == "something else"


def test_unreached_threshold_is_said(labelwise):
    found = labelwise("classify", TEXTS[0], "--labels", LABELS, "--threshold", "1.0")
    assert "no label reaches its threshold" in found.out
    assert found.status == 0


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "mails.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["id", "text"], *enumerate(TEXTS, start=1)])
    return path


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_a_file_keeps_its_columns_and_order(labelwise, table, tmp_path, ending):
    output = tmp_path / f"out.{ending}"
    found = labelwise("classify", "--input", table, "--labels", LABELS, "--output", output)
    assert found.status == 0, found.err
    rows = _read(output)
    assert [str(row["id"]) for row in rows] == ["1", "2", "3"]
    assert [row["best"] for row in rows] == LABELS.split(",")
    assert "3 rows written" in found.err


def test_a_file_without_output_goes_to_stdout(labelwise, table):
    found = labelwise("classify", "--input", table, "--labels", LABELS, "--quiet")
    assert [row["best"] for row in lines(found.out)] == LABELS.split(",")
    assert found.err == ""


def test_each_row_may_have_its_own_labels(labelwise, tmp_path):
    source = tmp_path / "in.jsonl"
    rows = [
        {"text": TEXTS[0], "options": ["billing problem", "praise"]},
        {"text": TEXTS[1], "options": "delay,praise"},
    ]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = labelwise("classify", "--input", source, "--labels-column", "options")
    assert [row["best"] for row in lines(found.out)] == ["billing problem", "delay"]


def test_a_broken_row_stops_and_is_named(labelwise, tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "fine"}\n{"text": \n{"text": "fine too"}\n')
    found = labelwise("classify", "--input", source, "--labels", LABELS)
    assert found.status == 1
    assert "row 2" in found.err


def test_a_broken_row_is_left_out_by_flag(labelwise, tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "fine"}\n{"text": \n{"text": "fine too"}\n')
    found = labelwise("classify", "--input", source, "--labels", LABELS, "--on-bad-row", "skip")
    assert found.status == 0
    assert [row["text"] for row in lines(found.out)] == ["fine", "fine too"]
    assert "1 broken rows left out (row 2)" in found.err


def test_a_row_that_the_model_cannot_take_is_named_by_its_number(labelwise, tmp_path):
    source = tmp_path / "in.txt"
    source.write_text("short\n" + "word " * 600 + "\nshort too\n")
    arguments = ["classify", "--input", source, "--labels", LABELS, "--truncation", "error"]
    found = labelwise(*arguments)
    assert found.status == 1
    assert "row 2: text 1 has 600 tokens" in found.err
    kept = lines(labelwise(*arguments, "--on-bad-row", "skip").out)
    assert [row["error"] is None for row in kept] == [True, False, True]


def test_a_missing_column_lists_those_that_exist(labelwise, table):
    found = labelwise("classify", "--input", table, "--labels", LABELS, "--text-column", "body")
    assert found.status == 2
    assert "id" in found.err
    assert "text" in found.err


def test_an_output_is_not_overwritten_unasked(labelwise, table, tmp_path):
    output = tmp_path / "out.jsonl"
    output.write_text("precious\n")
    found = labelwise("classify", "--input", table, "--labels", LABELS, "--output", output)
    assert found.status == 2
    assert output.read_text() == "precious\n"


def test_resuming_with_other_labels_is_refused(labelwise, tmp_path):
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    # The chunk before the broken row is kept; then the run stops.
    good = "".join(json.dumps({"text": f"text {number}"}) + "\n" for number in range(300))
    source.write_text(good + "broken\n")
    arguments = ["classify", "--input", source, "--output", output]
    assert labelwise(*arguments, "--labels", "number,letter").status == 1
    refused = labelwise(*arguments, "--labels", "other,labels", "--resume")
    assert refused.status == 2
    assert "labels" in refused.err
    resumed = labelwise(*arguments, "--labels", "number,letter", "--resume", "--on-bad-row", "skip")
    assert resumed.status == 0, resumed.err
    assert [row["text"] for row in _read(output)] == [f"text {number}" for number in range(300)]


def _read(path):
    if path.suffix == ".jsonl":
        return lines(path.read_text())
    if path.suffix == ".csv":
        with path.open(newline="") as file:
            return list(csv.DictReader(file))
    parquet = pytest.importorskip("pyarrow.parquet")
    return parquet.read_table(path).to_pylist()

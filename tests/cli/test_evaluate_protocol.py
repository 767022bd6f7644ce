"""``labelwise evaluate --protocol``: one table over many sets, with what is missing named."""

import csv
import json
import sys

import pytest

from labelwise.cli import evaluate_run
from labelwise.evaluation import hub_rows as hub_module

ROWS = {
    "reviews": [("I love this kettle", "praise"), ("The parcel is late", "delivery")],
    "tickets": [("Where is my parcel", "delivery"), ("Wonderful, thank you", "praise")],
}


@pytest.fixture
def protocol(tmp_path):
    """A protocol of two sets that are here and one that is not, beside their files."""
    for name, rows in ROWS.items():
        (tmp_path / f"{name}.jsonl").write_text(
            "".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in rows)
        )
    path = tmp_path / "mine.json"
    labels = {"praise": "This is praise.", "delivery": "This is about a delivery."}
    sets = [{"name": name, "labels": labels, "template": "{}"} for name in (*ROWS, "absent")]
    path.write_text(json.dumps({"version": 1, "name": "mine", "measure": "accuracy", "sets": sets}))
    return path


@pytest.fixture
def measured_sets(monkeypatch):
    """The names of the sets that a model really ran on, in order."""
    from labelwise.evaluation import measuring

    names = []

    def spy(model, one, rows, **settings):
        names.append(one.name)
        return measure(model, one, rows, **settings)

    measure = measuring.measure
    monkeypatch.setattr(measuring, "measure", spy)
    return names


def test_a_set_that_is_not_here_keeps_its_column_and_says_why(labelwise, protocol):
    found = labelwise("evaluate", "--protocol", protocol, "--json")
    assert found.status == 0
    *sets, mean = json.loads(found.out)
    assert [row["set"] for row in sets] == ["reviews", "tickets", "absent"]
    assert sets[0]["accuracy"] == 1.0
    assert "no local file absent.jsonl" in sets[2]["missing"]
    assert mean["set"] == "mean of 2 of 3"
    assert "absent: left empty" in found.err


def test_people_see_what_is_missing_under_the_table(labelwise, protocol):
    lines = labelwise("evaluate", "--protocol", protocol).out.splitlines()
    assert lines[0].split()[:2] == ["set", "accuracy"]
    assert lines[4].split()[:2] == ["absent", "-"]
    assert lines[-1].startswith("missing: absent: there is no local file")


def test_sets_may_be_columns_as_on_model_cards(labelwise, protocol, tmp_path):
    output = tmp_path / "table.csv"
    out = labelwise("evaluate", "--protocol", protocol, "--table", "columns", "--output", output).out
    sets, left_out, means = out.split("\n\n")
    assert sets.splitlines()[0].split() == ["measure", "reviews", "tickets"]
    assert left_out == "1 of 3 sets have no figure and are left out"
    assert means.splitlines()[0].split(maxsplit=1) == ["measure", "mean of 2 of 3"]
    assert means.splitlines()[2].split() == ["accuracy", "1.0000"]
    assert means.splitlines()[-1].startswith("missing: absent: there is no local file")
    with output.open(newline="") as file:
        rows = {row["measure"]: row for row in csv.DictReader(file)}
    assert rows["accuracy"]["reviews"] == "1.0"
    assert rows["accuracy"]["absent"] == ""
    assert rows["accuracy"]["mean of 2 of 3"] == "1.0"
    assert {"balanced_accuracy", "pairs_per_s", "texts_per_s"} <= set(rows)


def test_columns_without_any_figure_are_only_counted_and_named(labelwise, tmp_path):
    found = labelwise(
        "evaluate", "--protocol", "gliclass-10", "--data", tmp_path, "--no-hub", "--table", "columns"
    )
    assert "10 of 10 sets have no figure and are left out" in found.out
    assert found.out.count("missing: ") == 10
    assert "measure" not in found.out


def test_the_published_columns_are_all_there_without_any_data(labelwise, tmp_path):
    found = labelwise("evaluate", "--protocol", "universal-36", "--data", tmp_path, "--no-hub", "--json")
    assert found.status == 1
    assert "36 of 36 sets could not be measured" in found.err
    assert len(json.loads(found.out)) == 36 + 3


def test_universal_columns_take_local_files_by_name_or_by_flag(labelwise, tmp_path):
    (tmp_path / "spam.csv").write_text("text,label\nWin a prize now,spam\nSee you at six,ham\n")
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text(json.dumps({"premise": "A dog runs.", "hypothesis": "A dog sleeps.", "label": 2}) + "\n")
    found = labelwise(
        "evaluate", "--protocol", "universal-36", "--data", tmp_path, "--set", f"mnli_m={pairs}", "--no-hub",
        "--json",
    )  # fmt: skip
    measured = {row["set"]: row for row in json.loads(found.out) if "accuracy" in row}
    assert measured["spam"]["rows"] == 2
    assert measured["spam"]["pairs_per_s"] == pytest.approx(2 * measured["spam"]["texts_per_s"])
    assert [entry["label"] for entry in measured["mnli_m"]["per_class"]] == ["entailment", "not_entailment"]
    assert "mean of 1 of 8 entail" in measured


def test_what_is_finished_is_not_measured_again(labelwise, protocol, tmp_path, measured_sets):
    output = tmp_path / "table.json"
    assert labelwise("evaluate", "--protocol", protocol, "--output", output).status == 0
    first = json.loads(output.read_text())
    reviews = tmp_path / "reviews.jsonl"
    reviews.write_text(reviews.read_text() + json.dumps({"text": "Thank you!", "label": "praise"}) + "\n")
    found = labelwise("evaluate", "--protocol", protocol, "--output", output, "--resume")
    assert measured_sets == ["reviews", "tickets", "reviews"]
    assert "tickets: 2 rows measured by an earlier run" in found.err
    again = json.loads(output.read_text())
    assert again[1] == first[1]
    assert again[0]["rows"] == 3


def test_other_settings_are_measured_anew(labelwise, protocol, tmp_path, measured_sets):
    output = tmp_path / "table.json"
    labelwise("evaluate", "--protocol", protocol, "--output", output)
    labelwise("evaluate", "--protocol", protocol, "--output", output, "--resume", "--limit", "1")
    labelwise(
        "evaluate", "--protocol", protocol, "--output", output, "--resume", "--hypothesis-template", "So {}"
    )
    labelwise("evaluate", "--protocol", protocol, "--output", output)
    assert measured_sets == ["reviews", "tickets"] * 4


def test_a_killed_run_goes_on_where_it_was(labelwise, protocol, tmp_path, monkeypatch, measured_sets):
    read_set = evaluate_run.read_set

    def killed(one, options):
        if one.name == "tickets":
            raise KeyboardInterrupt
        return read_set(one, options)

    output = tmp_path / "table.json"
    with monkeypatch.context() as patch:
        patch.setattr(evaluate_run, "read_set", killed)
        assert labelwise("evaluate", "--protocol", protocol, "--output", output).status == 130
    assert not output.exists()
    assert labelwise("evaluate", "--protocol", protocol, "--output", output, "--resume").status == 0
    assert measured_sets == ["reviews", "tickets"]


def test_a_broken_file_fails_the_run_and_the_others_are_measured(labelwise, protocol, tmp_path):
    (tmp_path / "absent.jsonl").write_text('{"text": "t", "label": "refund"}\n')
    found = labelwise("evaluate", "--protocol", protocol, "--json")
    assert found.status == 1
    assert "1 of 3 sets could not be measured; the first: absent: gold label 'refund'" in found.err
    assert len([row for row in json.loads(found.out) if "accuracy" in row]) == 3


def test_a_page_is_written(labelwise, protocol, tmp_path, monkeypatch):
    told = {}

    class Page:
        @staticmethod
        def render_html(rows, *, title):
            told.update(rows=rows, title=title)
            return "<html></html>"

    monkeypatch.setitem(sys.modules, "labelwise.evaluation.html_report", Page)
    page = tmp_path / "report.html"
    assert labelwise("evaluate", "--protocol", protocol, "--html", page).status == 0
    assert page.read_text() == "<html></html>"
    assert told["title"] == "bundled: mine"
    assert [row["set"] for row in told["rows"]] == ["reviews", "tickets", "absent"]
    assert {"confusion", "per_class", "reliability_bins", "threshold_curve"} <= set(told["rows"][0])


def test_the_hub_is_asked_where_no_file_is_here(labelwise, tmp_path, monkeypatch):
    from labelwise.cli import evaluate_sets

    asked = []

    def serve(source, *, on_bad):
        asked.append(source.id)
        if source.id != "SetFit/sst2":
            raise evaluate_sets.DataError("offline")
        return iter([(1, {"text": "a fine film", "label_text": "positive"})])

    monkeypatch.setattr(hub_module, "hub_rows", serve)
    found = labelwise("evaluate", "--protocol", "gliclass-10", "--json")
    assert found.status == 0
    assert len(asked) == 10
    by_name = {row["set"]: row for row in json.loads(found.out)}
    assert by_name["sst2"]["rows"] == 1
    assert by_name["imdb"]["missing"] == "no local file, and offline"


def test_a_hub_out_of_reach_is_asked_once(labelwise, monkeypatch):
    asked = []

    def fail(source, *, on_bad):
        asked.append(source.id)
        raise hub_module.HubUnreachableError("no way to the hub")

    monkeypatch.setattr(hub_module, "hub_rows", fail)
    found = labelwise("evaluate", "--protocol", "gliclass-10", "--json")
    assert found.status == 1
    assert asked == ["SetFit/CR"]
    assert "10 of 10 sets could not be measured; the first: CR: no local file, and no way" in found.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give files, or --protocol"),
        (["x.jsonl", "--protocol", "gliclass-10"], "one of them"),
        (["--protocol", "gliclass-10", "--labels", "a,b"], "are for files"),
        (["--protocol", "gliclass-10", "--text-column", "b"], "--text-column is for files"),
        (["x.csv", "--premise-column", "b"], "--premise-column has no meaning with --task classify"),
        (["x.csv", "--task", "entail", "--text-column", "b"], "--text-column has no meaning with --task ent"),
        (["--protocol", "gliclass-12"], "there is no protocol 'gliclass-12'"),
        (["--protocol", "gliclass-10", "--set", "imdb"], "must be NAME=FILE"),
        (["--protocol", "gliclass-10", "--data", "no/such/folder"], "is not a folder"),
        (["x.jsonl", "--data", "."], "go with --protocol"),
        (["x.jsonl", "--resume"], "--resume needs --output"),
        (["x.jsonl", "--output", "x.txt"], "must end in .json or .csv"),
        (["x.jsonl", "--peer", "pipeline"], "needs --model"),
    ],
)
def test_wrong_usage_is_told_before_any_model_is_loaded(labelwise, arguments, message):
    found = labelwise("evaluate", *arguments)
    assert found.status == 2
    assert message in found.err

"""``labelwise calibrate`` on small labelled files."""

import csv
import json
import shutil
import sys
from pathlib import Path

import pytest
import typer

import labelwise as library
from labelwise.cli.calibrate import calibrate
from labelwise.cli.calibrate_warnings import loss_warnings
from labelwise.errors import LabelwiseError

BUNDLED = Path(library.__file__).parent / "checkpoints" / "bundled"
LABELS = ["billing problem", "late delivery"]
BILLS = ["card", "invoice", "fee", "refund", "account", "receipt", "payment", "price"]
PARCELS = ["parcel", "order", "package", "letter", "kettle", "lamp", "chair", "book"]
ROWS = [(f"I was charged twice, look at my {word}", LABELS[0]) for word in BILLS] + [
    (f"The {word} has still not arrived after a week", LABELS[1]) for word in PARCELS
]


# Some labels are wrong, so that there is something to be less sure of.
DOUBTFUL_ROWS = [
    *ROWS,
    *((f"My {word} is broken", LABELS[place % 2]) for place, word in enumerate(BILLS[:4])),
]
DOUBTFUL_ROWS += [(f"Where is my {word}?", LABELS[place % 2]) for place, word in enumerate(PARCELS[:4])]


@pytest.fixture(scope="module")
def whole_model(tmp_path_factory):
    return shutil.copytree(BUNDLED, tmp_path_factory.mktemp("models") / "model")


@pytest.fixture
def folder(whole_model):
    """A model's folder that a test may write into."""
    settings = whole_model / "labelwise.json"
    kept = settings.read_bytes()
    yield whole_model
    settings.write_bytes(kept)


def write_rows(path, rows):
    path.write_text("".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in rows))
    return path


@pytest.fixture
def rows(tmp_path):
    return write_rows(tmp_path / "dev.jsonl", DOUBTFUL_ROWS)


@pytest.fixture
def easy_rows(tmp_path):
    """Rows that the bundled model is always right about."""
    return write_rows(tmp_path / "easy.jsonl", ROWS)


@pytest.fixture
def run(monkeypatch, capsys):
    """Return a function that runs the verb and gives what it printed; ``run.err`` has what went to stderr."""
    app = typer.Typer()
    app.command()(calibrate)

    def command(*arguments):
        monkeypatch.setattr(sys, "argv", ["calibrate", *map(str, arguments)])
        app(standalone_mode=False)
        printed = capsys.readouterr()
        command.err = printed.err
        return printed.out

    return command


def saved_in(folder):
    return json.loads((folder / "labelwise.json").read_text())


def test_the_numbers_are_saved_beside_the_model_and_other_keys_stay(run, folder, rows):
    before = saved_in(folder)
    report = json.loads(run(folder, rows, "--json"))
    after = saved_in(folder)
    assert after["task_temperatures"]["classify"] == report["fitted"]["task_temperatures"]["classify"]
    assert {key: after[key] for key in before if key != "task_temperatures"} == {
        key: before[key] for key in before if key != "task_temperatures"
    }
    assert (report["rows_fitted"], report["rows_held_out"], report["rows_left_out"]) == (12, 12, 0)
    assert set(report["before"]) == {"accuracy", "macro_f1", "ece", "brier", "nll", "reliability"}


def test_the_model_then_gives_calibrated_scores(run, folder, rows):
    plain = library.load(folder).classify(ROWS[0][0], LABELS).best.score
    run(folder, rows)
    calibrated = library.load(folder).classify(ROWS[0][0], LABELS).best.score
    assert calibrated != pytest.approx(plain, abs=1e-4)


def test_a_model_that_cannot_be_written_needs_a_file(run, rows, tmp_path):
    with pytest.raises(LabelwiseError, match=r"give --to FILE\.json"):
        run("bundled", rows)
    place = tmp_path / "calibration.json"
    shown = run("bundled", rows, "--to", place)
    assert f"saved to {place}" in shown
    temperature = json.loads(place.read_text())["task_temperatures"]["classify"]
    model = library.load(calibration=place)
    assert model.checkpoint.settings.temperature_of("classify") == temperature


def test_people_see_before_and_after_with_the_reliability_of_both(run, rows):
    shown = run("bundled", rows, "--dry-run")
    for expected in ("12 rows fitted, 12 held out", "ece", "before: score", "after: score", "nothing saved"):
        assert expected in shown


def test_a_dry_run_writes_nothing(run, folder, rows):
    before = saved_in(folder)
    assert json.loads(run(folder, rows, "--dry-run", "--json"))["saved_to"] is None
    assert saved_in(folder) == before


def test_several_labels_per_row_get_a_threshold_each(run, folder, tmp_path):
    path = tmp_path / "dev.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "labels"])
        writer.writerows([text, label] for text, label in ROWS)
        writer.writerow(["I was charged for a parcel that is late", ", ".join(LABELS)])
        writer.writerow(["Water boils at 100 degrees", ""])
    report = json.loads(run(folder, path, "--json"))
    assert report["task"] == "multi_label"
    assert list(saved_in(folder)["thresholds"]) == LABELS
    assert 0.0 < saved_in(folder)["default_threshold"] < 1.0
    assert set(report["after"]) >= {"exact_match", "micro_f1", "macro_f1", "ece"}


def test_unlabelled_texts_give_label_biases_without_any_label(run, folder, tmp_path):
    texts = tmp_path / "mails.txt"
    texts.write_text("\n".join(text for text, _ in ROWS[:10]))
    report = json.loads(run(folder, "--unlabelled", texts, "--labels", ",".join(LABELS), "--json"))
    assert "before" not in report
    biases = saved_in(folder)["label_biases"]
    assert set(biases) == set(LABELS)
    assert biases[LABELS[0]] < 0.0 < biases[LABELS[1]]


def test_rows_that_no_label_fits_calibrate_the_none_label(run, rows):
    with rows.open("a") as file:
        for number in range(6):
            line = {"text": f"Water boils at {number}0 degrees", "label": "something else"}
            file.write(json.dumps(line) + "\n")
    report = json.loads(run("bundled", rows, "--none-label", "something else", "--dry-run", "--json"))
    assert "none_bias" in report["fitted"]
    assert report["after"]["accuracy"] >= 0.5


def test_pairs_are_told_by_their_columns(run, folder, tmp_path):
    path = tmp_path / "pairs.jsonl"
    kinds = ["entailment", "contradiction"] * 6
    path.write_text(
        "".join(
            json.dumps({"premise": f"A dog runs, {place}", "hypothesis": "It moves", "label": kind}) + "\n"
            for place, kind in enumerate(kinds)
        )
    )
    report = json.loads(run(folder, path, "--json"))
    assert report["task"] == "entail"
    assert "entail" in saved_in(folder)["task_temperatures"]


@pytest.fixture
def passages(tmp_path):
    path = tmp_path / "passages.jsonl"
    asked = {
        "qa": [("Who opened the bakery?", "name"), ("When did the bakery open?", "year")],
        "unanswerable": ["How tall is the church tower?", "Who painted the ceiling of the palace?"],
    }
    lines = []
    for name, year in (("Maria Lopez", "1984"), ("Paul Meyer", "1990"), ("Ann Smith", "2001")):
        answers = {"name": name, "year": year}
        qa = [{"question": question, "answer": answers[kind]} for question, kind in asked["qa"]]
        text = f"{name} opened the bakery on Elm Street in {year}. It sells bread on market days."
        lines.append(json.dumps({"text": text, "qa": qa, "unanswerable": asked["unanswerable"]}))
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def squad_file(tmp_path, passages):
    """The same questions in the SQuAD layout."""
    paragraphs = []
    for number, line in enumerate(passages.read_text().splitlines()):
        row = json.loads(line)
        qas = [
            {
                "id": f"{number}.{place}",
                "question": each["question"],
                "answers": [{"text": each["answer"], "answer_start": row["text"].index(each["answer"])}],
            }
            for place, each in enumerate(row["qa"])
        ]
        qas += [
            {"id": f"{number}.{question}", "question": question, "answers": [], "is_impossible": True}
            for question in row["unanswerable"]
        ]
        paragraphs.append({"context": row["text"], "qas": qas})
    path = tmp_path / "questions.json"
    path.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    return path


def test_questions_tell_when_there_is_no_answer_in_either_layout(run, folder, passages, squad_file):
    report = json.loads(run(folder, passages, "--json"))
    assert (report["task"], report["rows_fitted"], report["rows_held_out"]) == ("answer", 6, 6)
    saved = saved_in(folder)["null_threshold"]
    assert saved == report["fitted"]["null_threshold"]
    assert set(report["after"]) >= {"exact", "f1", "HasAns_f1", "NoAns_f1", "ece"}
    again = json.loads(run("bundled", squad_file, "--dry-run", "--json"))
    assert again["fitted"]["null_threshold"] == pytest.approx(saved, abs=1e-6)
    text = json.loads(passages.read_text().splitlines()[0])["text"]
    model = library.load(folder)
    asked = model.answer("Who opened the bakery?", text)
    assert asked == model.answer("Who opened the bakery?", text, null_threshold=saved)


def test_people_see_the_official_measure_before_and_after(run, passages):
    shown = run("bundled", passages, "--dry-run")
    for expected in ("6 rows fitted, 6 held out", "HasAns_f1", "NoAns_f1", "null_threshold", "nothing saved"):
        assert expected in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--unlabelled", "ROWS"], "--unlabelled corrects labels"),
        (["--limit", "4"], "has 4 questions"),
    ],
)
def test_what_cannot_work_with_questions_is_said_in_one_line(run, passages, arguments, message):
    arguments = [passages if argument == "ROWS" else argument for argument in arguments]
    with pytest.raises(LabelwiseError, match=message):
        run("bundled", passages, "--dry-run", *arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give ROWS"),
        (["ROWS", "--limit", "0"], "--limit must be at least 1"),
        (["ROWS", "--to", "numbers.txt"], "must be a file that ends in .json"),
        (["ROWS", "--limit", "4", "--dry-run"], "has 4 rows"),
        (["ROWS", "--multi-label", "--unlabelled", "ROWS", "--dry-run"], "labels that compete"),
        (["--unlabelled", "ROWS", "--dry-run"], "needs --labels"),
        (["ROWS", "--labels", "a,b", "--dry-run"], "is not one of a, b"),
    ],
)
def test_what_cannot_work_is_said_in_one_line(run, rows, arguments, message):
    with pytest.raises(LabelwiseError, match=message) as caught:
        run("bundled", *[rows if argument == "ROWS" else argument for argument in arguments])
    assert "\n" not in str(caught.value)


def test_a_temperature_at_the_end_of_the_search_is_not_saved(run, folder, easy_rows, tmp_path):
    before = saved_in(folder)
    in_use = library.load(folder).checkpoint.settings.temperature_of("classify")
    report = json.loads(run(folder, easy_rows, "--json"))
    assert (report["fitted"], report["saved_to"]) == ({}, None)
    assert saved_in(folder) == before
    (warning,) = report["warnings"]
    assert "ran to the end of its search, 0.01: the model is right about nearly all fitted rows" in warning
    assert warning.endswith(f"the temperature is left as it was, {in_use:g}")
    assert run.err == f"labelwise: warning: {warning}\n"
    place = tmp_path / "numbers.json"
    assert "nothing saved: no number was worth it" in run(folder, easy_rows, "--to", place)
    assert not place.exists()


def test_labels_that_are_the_wrong_way_round_are_said_to_be_so(run, easy_rows):
    swapped = easy_rows.read_text().replace(LABELS[0], "x").replace(LABELS[1], LABELS[0])
    easy_rows.write_text(swapped.replace('"x"', json.dumps(LABELS[1])))
    report = json.loads(run("bundled", easy_rows, "--json", "--dry-run"))
    assert "task_temperatures" not in report["fitted"]
    assert "100: the model is no better than chance on the fitted rows, so check the labels" in run.err


def test_a_second_run_says_that_nothing_more_is_gained(run, folder, rows):
    run(folder, rows)
    assert run.err.count("no classify temperature lowers the loss") == 0
    saved = saved_in(folder)
    run(folder, rows)
    assert "no classify temperature lowers the loss of the fitted rows below" in run.err
    assert saved_in(folder) == saved


def test_a_loss_that_did_not_fall_is_told():
    assert loss_warnings(0.5, 0.4) == []
    (warning,) = loss_warnings(0.5, 0.51)
    assert warning == (
        "the loss of the held-out rows did not fall: 0.5000 before, 0.5100 after. Give more rows"
    )


def test_columns_are_named_by_flag_and_bad_rows_are_counted(run, tmp_path):
    path, texts = tmp_path / "topics.csv", tmp_path / "more.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Review", "Cls"])
        writer.writerows([*DOUBTFUL_ROWS, ("", LABELS[0]), ("no label", "")])
    texts.write_text("Review\n" + "\n".join(f"one more about a {word}" for word in PARCELS) + '\n" "\n')
    flags = "--text-column", "Review", "--label-column", "Cls"
    report = json.loads(run("bundled", path, *flags, "--unlabelled", texts, "--dry-run", "--json"))
    assert (report["rows_fitted"], report["rows_left_out"], report["unlabelled_rows_left_out"]) == (12, 2, 1)
    assert f"{path}: left out row 25: column 'Review' must hold text, got ''" in run.err
    assert f"{texts}: left out row 9: column 'Review' is empty" in run.err
    with pytest.raises(LabelwiseError, match=r"topics.csv has no column 'text': it has 'Review', 'Cls'"):
        run("bundled", path, "--dry-run")


def test_columns_of_pairs_are_named_by_flag(run, tmp_path):
    path = tmp_path / "pairs.csv"
    kinds = ["entailment", "contradiction"] * 6
    path.write_text("a,b,gold\n" + "".join(f"Dog {n} runs,It moves,{kind}\n" for n, kind in enumerate(kinds)))
    flags = "--premise-column", "a", "--hypothesis-column", "b", "--label-column", "gold"
    assert json.loads(run("bundled", path, *flags, "--dry-run", "--json"))["task"] == "entail"

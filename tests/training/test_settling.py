import json

import pytest

import labelwise
from labelwise.checkpoints.settings import CheckpointSettings
from labelwise.errors import InputError
from labelwise.training.settling import settle


@pytest.fixture
def files(write_rows):
    texts = [
        {"text": text, "label": label}
        for label, words in (
            ("billing", ["charged twice", "refund my card"]),
            ("delivery", ["parcel is late"]),
        )
        for text in words * 4
    ]
    pairs = [
        {"premise": "A man sleeps.", "hypothesis": hypothesis, "label": label}
        for hypothesis, label in (
            ("A person sleeps.", "entailment"),
            ("A man runs.", "contradiction"),
            ("It is night.", "neutral"),
        )
    ]
    return write_rows("pairs.jsonl", pairs), write_rows("texts.jsonl", texts)


def test_what_is_settled_is_what_a_labelwise_json_may_hold(files):
    pairs, texts = files
    found = settle(labelwise.load(), pair_files=[pairs], label_files=[texts], rows_per_file=8)
    settings = CheckpointSettings(**json.loads(json.dumps(found)))
    assert set(found["task_temperatures"]) == {"entail", "classify", "multi_label"}
    assert 0.0 < settings.default_threshold < 1.0


def test_a_file_that_is_not_there_is_named(files, tmp_path):
    with pytest.raises(InputError, match=r"none\.jsonl"):
        settle(labelwise.load(), pair_files=[tmp_path / "none.jsonl"], label_files=[files[1]])


PASSAGES = [
    {
        "text": f"{name} opened the bakery on Elm Street in {year}. It sells bread on market days.",
        "qa": [
            {"question": "Who opened the bakery?", "answer": name},
            {"question": "When did the bakery open?", "answer": str(year)},
        ],
        "unanswerable": ["How tall is the church tower?", "Who painted the ceiling of the palace?"],
    }
    for name, year in (("Maria Lopez", 1984), ("Paul Meyer", 1990))
]


def test_questions_settle_when_there_is_no_answer(files, write_rows):
    pairs, texts = files
    questions = write_rows("passages.jsonl", PASSAGES)
    model = labelwise.load()
    found = settle(
        model, pair_files=[pairs], label_files=[texts], question_files=[questions], rows_per_file=8
    )
    settings = CheckpointSettings(**json.loads(json.dumps(found)))
    answers = model.answer(
        pairs=[("How tall is the church tower?", PASSAGES[0]["text"])], null_threshold=settings.null_threshold
    )
    assert not answers[0].is_answer
    assert "null_threshold" not in settle(model, pair_files=[pairs], label_files=[texts], rows_per_file=8)


@pytest.mark.parametrize("place", ["pair_files", "label_files", "question_files"])
def test_nothing_that_ships_is_fitted_on_a_report_set(files, tmp_path, place):
    given = {"pair_files": [files[0]], "label_files": [files[1]]}
    given[place] = [tmp_path / "squad2_dev_report.json.gz"]
    with pytest.raises(InputError, match="is a report set"):
        settle(labelwise.load(), **given)

"""Reading the SQuAD layout and the prediction files."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from labelwise.errors import DataError
from labelwise.evaluation.squad import evaluate_squad
from labelwise.evaluation.squad_file import parse_squad, read_na_probs, read_predictions, read_squad

DOCUMENT = {
    "version": "v2.0",
    "data": [
        {
            "title": "Cats",
            "paragraphs": [
                {
                    "context": "Ann left early.",
                    "qas": [
                        {
                            "id": "q1",
                            "question": "Who left?",
                            "answers": [{"text": "Ann", "answer_start": 0}],
                            "is_impossible": False,
                        },
                        {
                            "id": 2,
                            "question": "Who stayed?",
                            "answers": [],
                            "plausible_answers": [{"text": "Ann", "answer_start": 0}],
                            "is_impossible": True,
                        },
                    ],
                }
            ],
        }
    ],
}
REPORT_SET = Path(__file__).parents[2].parent / "shared/data/qa/squad2_dev_report.json.gz"


def without(field, *, of):
    copied = json.loads(json.dumps(DOCUMENT))
    paragraph = copied["data"][0]["paragraphs"][0]
    del {"paragraph": paragraph, "qa": paragraph["qas"][1], "document": copied}[of][field]
    return copied


def test_plain_and_gzipped_files_read_alike(tmp_path):
    plain, packed = tmp_path / "dev.json", tmp_path / "dev.json.gz"
    plain.write_text(json.dumps(DOCUMENT), encoding="utf-8")
    packed.write_bytes(gzip.compress(json.dumps(DOCUMENT).encode()))
    questions = read_squad(plain)
    assert questions == read_squad(packed)
    assert [(asked.id, asked.answers, asked.has_answer) for asked in questions] == [
        ("q1", ("Ann",), True),
        ("2", (), False),
    ]
    assert questions[0].context == "Ann left early."


@pytest.mark.parametrize(
    ("field", "of", "place"),
    [
        ("data", "document", "the document has no 'data'"),
        ("qas", "paragraph", r"data\[0\].paragraphs\[0\] has no 'qas'"),
        ("answers", "qa", r"data\[0\].paragraphs\[0\].qas\[1\] has no 'answers'"),
    ],
)
def test_a_missing_field_is_named_with_its_place(field, of, place):
    with pytest.raises(DataError, match=place):
        parse_squad(without(field, of=of))


@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2]", b"\xff\xfe\x00"])
def test_files_that_are_not_squad_are_refused_with_their_name(tmp_path, content):
    file = tmp_path / "broken.json"
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"broken\.json"):
        read_squad(file)


@pytest.mark.parametrize("cut", [5, 30])
def test_a_cut_gzip_file_is_refused(tmp_path, cut):
    file = tmp_path / "cut.json.gz"
    file.write_bytes(gzip.compress(json.dumps(DOCUMENT).encode())[:cut])
    with pytest.raises(DataError, match=r"cut\.json\.gz"):
        read_squad(file)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_squad(tmp_path / "none.json")


def test_prediction_files_hold_texts_and_numbers(tmp_path):
    predictions, odds = tmp_path / "predictions.json", tmp_path / "null_odds.json"
    predictions.write_text('{"q1": "Ann", "2": ""}', encoding="utf-8")
    odds.write_text('{"q1": -3, "2": 4.5}', encoding="utf-8")
    assert read_predictions(predictions) == {"q1": "Ann", "2": ""}
    assert read_na_probs(odds) == {"q1": -3.0, "2": 4.5}
    with pytest.raises(DataError, match="the prediction of 'q1' is -3"):
        read_predictions(odds)
    with pytest.raises(DataError, match="the value of 'q1' is 'Ann'"):
        read_na_probs(predictions)


@pytest.mark.skipif(not REPORT_SET.exists(), reason="the report set is not beside the checkout")
def test_the_published_dev_set_has_its_published_counts():
    questions = read_squad(REPORT_SET)
    silent = evaluate_squad(questions, dict.fromkeys((asked.id for asked in questions), "")).measures
    assert (silent["total"], silent["HasAns_total"], silent["NoAns_total"]) == (11873, 5928, 5945)
    assert silent["NoAns_exact"] == 100.0
    assert silent["f1"] == pytest.approx(100 * 5945 / 11873)
    first = evaluate_squad(questions, {asked.id: (*asked.answers, "")[0] for asked in questions}).measures
    assert first["exact"] == first["f1"] == 100.0

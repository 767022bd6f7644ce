from __future__ import annotations

import pytest

from labelwise.errors import DataError
from labelwise.training.qa.examples import QaExample, read_qa_files

from .conftest import asked, squad

TEXT = "Ann left. Bob came in May, and Bob stayed."


def test_squad_1_and_2_files_give_answers_with_their_places(write_json_file):
    first = write_json_file("v1.json", squad([(TEXT, [{"id": 7, "question": "Who left?", "answers": [
        {"text": "Ann", "answer_start": 0}, {"text": "Ann", "answer_start": 0}]}])]))  # fmt: skip
    second = write_json_file("v2.json.gz", squad([(TEXT, [asked("q", "Who fell?", TEXT, None)])]))
    left, fell = read_qa_files([first, second]).examples
    assert (left.id, left.answers, left.is_impossible) == ("7", ((0, "Ann"),), False)
    assert (fell.id, fell.answers, fell.is_impossible) == ("q", (), True)
    assert left.article != fell.article


def test_the_second_question_of_an_id_gets_its_own(write_json_file):
    qas = [asked(name, "Who left?", TEXT, "Ann") for name in ("q", "q", "q#2", "q")]
    found = read_qa_files([write_json_file("a.json", squad([(TEXT, qas)])),
                           write_json_file("b.json", squad([(TEXT, qas[:1])]))])  # fmt: skip
    ids = [example.id for example in found.examples]
    assert len(set(ids)) == 5
    assert ids[0] == "q"
    assert ids[2] == "q#2"


def test_an_answer_off_its_place_moves_to_where_it_stands_once_nearby(write_json_file):
    qas = [
        {"id": "moved", "question": "When?", "answers": [{"text": "May", "answer_start": 20}]},
        {"id": "spaces", "question": "When?", "answers": [{"text": " May", "answer_start": 21}]},
        {"id": "twice", "question": "Who?", "answers": [{"text": "Bob", "answer_start": 11}]},
        {"id": "absent", "question": "Who?", "answers": [{"text": "Eve", "answer_start": 0}]},
        {"id": "one of two", "question": "Who?", "answers": [
            {"text": "Eve", "answer_start": 0}, {"text": "Ann", "answer_start": 0}]},
    ]  # fmt: skip
    found = read_qa_files([write_json_file("train.json", squad([(TEXT, qas)]))])
    assert {example.id: example.answers for example in found.examples} == {
        "moved": ((22, "May"),),
        "spaces": ((22, "May"),),
        "one of two": ((0, "Ann"),),
    }
    assert found.num_repaired == 1
    assert [(row.row_number, row.file) for row in found.left_out] == [(3, "train.json"), (4, "train.json")]
    assert "'Bob', is not at its place" in found.left_out[0].reason


def test_an_answer_is_not_looked_for_far_away(write_json_file):
    text = "Ann left." + " So it was." * 30 + " May."
    qas = [{"id": "far", "question": "When?", "answers": [{"text": "May", "answer_start": 0}]},
           asked("near", "Who?", text, "Ann")]  # fmt: skip
    found = read_qa_files([write_json_file("train.json", squad([(text, qas)]))])
    assert [example.id for example in found.examples] == ["near"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"id": None, "question": "Who?", "answers": []}, "id is None"),
        ({"id": "q", "question": 3, "answers": []}, "question of 'q' is 3"),
        ({"id": "q", "question": "  ", "answers": []}, "blank"),
        ({"id": "q", "question": "Who?"}, "answers of 'q' is None"),
        ({"id": "q", "question": "Who?", "answers": [7]}, "7, is not at its place"),
        ({"id": "q", "question": "Who?", "answers": [{"text": "  ", "answer_start": 3}]}, "not at its place"),
        ("Who?", "id is None"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_and_the_others_stay(write_json_file, row, reason):
    path = write_json_file("train.json", squad([(TEXT, [row, asked("good", "Who left?", TEXT, "Ann")])]))
    found = read_qa_files([path])
    assert [example.id for example in found.examples] == ["good"]
    assert str(found.left_out[0]).startswith("train.json row 1: ")
    assert reason in found.left_out[0].reason


def test_passages_give_their_answered_and_unanswerable_questions(write_rows):
    rows = [
        {"text": TEXT, "qa": [{"question": "Who left?", "answer": "Ann"}], "unanswerable": ["Who fell?"]},
        {"text": TEXT, "qa": [{"question": "Who left?", "answer": "Eve"}], "unanswerable": [3]},
        {"text": TEXT, "qa": "none"},
        "no json",
    ]
    found = read_qa_files([write_rows("passages.jsonl.gz", rows)])
    assert [(example.question, example.answers) for example in found.examples] == [
        ("Who left?", ((0, "Ann"),)),
        ("Who fell?", ()),
    ]
    assert sorted(row.row_number for row in found.left_out) == [2, 2, 3, 4]


@pytest.mark.parametrize(
    "document", [[], {"data": 3}, {"data": [{"paragraphs": [{"context": "a"}]}]}, squad([])]
)
def test_a_file_without_questions_in_the_layout_is_refused(write_json_file, document):
    with pytest.raises(DataError, match=r"SQuAD layout|no usable question"):
        read_qa_files([write_json_file("train.json", document)])


def test_an_example_checks_its_answers():
    with pytest.raises(DataError, match="not at character 1"):
        QaExample("q", "Who left?", TEXT, ((1, "Ann"),))

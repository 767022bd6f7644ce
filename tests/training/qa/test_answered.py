"""One pass over the questions tells what every null threshold would do."""

from __future__ import annotations

import numpy as np
import pytest

import labelwise
from labelwise.errors import DataError
from labelwise.evaluation.squad_file import SquadQuestion
from labelwise.evaluation.zero_shot import evaluate_answers
from labelwise.training.qa.answered import AnsweredQuestions, answer_questions

CONTEXT = "Maria Lopez opened the bakery on Elm Street in 1984. Her son Paul sells the bread at the market."
QUESTIONS = [
    SquadQuestion("1", "Who opened the bakery?", CONTEXT, ("Maria Lopez",)),
    SquadQuestion("2", "When did the bakery open?", CONTEXT, ("1984", "in 1984")),
    SquadQuestion("3", "What does Paul sell?", CONTEXT, ("the bread",)),
    SquadQuestion("4", "How tall is the church tower?", CONTEXT, ()),
    SquadQuestion("5", "Who painted the ceiling?", CONTEXT, ()),
]


@pytest.fixture(scope="module")
def model():
    return labelwise.load()


def test_the_measures_at_a_threshold_are_those_of_a_model_that_has_it(model):
    answered = answer_questions(model, QUESTIONS)
    middle = float(np.median(answered.null_margins)) + 1e-3
    for threshold in (-40.0, 0.0, middle, 40.0):
        evaluated = evaluate_answers(model, QUESTIONS, null_threshold=threshold)
        expected = {key: evaluated.measures[key] for key in answered.measures(threshold)}
        assert answered.measures(threshold) == pytest.approx(expected)
        assert answered.reliability(threshold)["ece"] == pytest.approx(evaluated.reliability.ece, abs=1e-6)


def test_the_fitted_threshold_is_as_good_as_any_for_the_questions_it_was_fitted_on():
    answered = AnsweredQuestions(
        tuple(QUESTIONS),
        ("Maria Lopez", "1984", "market", "1984", "Paul"),
        np.array([-4.0, -1.0, 2.0, 0.0, 3.0]),
        np.array([-4.0, -1.0, 2.0, 0.0, 3.0]),
    )
    fitted = answered.fit()
    assert fitted == -0.5
    best = max(answered.measures(threshold)["f1"] for threshold in np.linspace(-5, 5, 41))
    assert answered.measures(fitted)["f1"] == best == pytest.approx(80.0)
    first = answered.at(np.array([0, 3]))
    assert [question.id for question in first.questions] == ["1", "4"]
    assert first.measures(fitted)["f1"] == 100.0


def test_no_question_is_said_so(model):
    with pytest.raises(DataError, match="no questions"):
        answer_questions(model, [])

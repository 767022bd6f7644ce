"""Evaluations measure what a model said, and nothing else."""

import numpy as np
import pytest

from labelwise.errors import DataError
from labelwise.evaluation.squad_file import parse_squad
from labelwise.evaluation.zero_shot import evaluate_answers, evaluate_classification, evaluate_entailment
from labelwise.results import Answer, Classification, Entailment, LabelScore


class Scripted:
    """A model that says what the test wrote down."""

    def __init__(self, said):
        self.said = said

    def classify(self, texts, labels, **settings):
        results = []
        for text, scores in zip(texts, self.said, strict=True):
            ranked = tuple(sorted((LabelScore(*pair) for pair in scores.items()), key=lambda one: -one.score))
            results.append(Classification(text, ranked, None, (), num_tokens=1, windows_read=1))
        return results

    def entail(self, *, pairs, **settings):
        return self.said

    def answer(self, *, pairs, **settings):
        return self.said


def test_accuracy_is_about_the_order_of_labels_and_not_thresholds():
    model = Scripted([{"a": 0.4, "b": 0.6}, {"a": 0.7, "b": 0.3}, {"a": 0.9, "b": 0.1}])
    found = evaluate_classification(model, ["x", "y", "z"], ["b", "b", "a"], labels=["a", "b"])
    assert found.measures["accuracy"] == pytest.approx(2 / 3)
    assert found.measures["macro_f1"] == pytest.approx(2 / 3)
    # Top scores are .6 (true), .7 (false) and .9 (true).
    assert found.measures["ece"] == pytest.approx((0.4 + 0.7 + 0.1) / 3)
    assert found.pairs_per_s == pytest.approx(2 * found.rows_per_s)


def test_neutral_and_contradiction_are_both_not_entailment():
    said = [
        Entailment("neutral", 0.3, 0.6, 0.1),
        Entailment("contradiction", 0.3, 0.3, 0.4),
        Entailment("entailment", 0.8, 0.1, 0.1),
    ]
    gold = ["not_entailment", "not_entailment", "entailment"]
    assert evaluate_entailment(Scripted(said), [("p", "h")] * 3, gold).measures["accuracy"] == 1.0


def test_two_class_models_are_judged_on_three_class_data():
    said = [
        Entailment("not_entailment", 0.2, not_entailment=0.8),
        Entailment("entailment", 0.9, not_entailment=0.1),
    ]
    found = evaluate_entailment(Scripted(said), [("p", "h")] * 2, ["contradiction", "entailment"])
    assert found.measures["accuracy"] == 1.0


def test_three_classes_are_kept_apart_where_both_sides_have_them():
    said = [Entailment("neutral", 0.3, 0.6, 0.1)]
    assert evaluate_entailment(Scripted(said), [("p", "h")], ["contradiction"]).measures["accuracy"] == 0.0


def test_answers_are_measured_by_the_official_rules():
    squad = {
        "data": [
            {
                "paragraphs": [
                    {
                        "context": "Ada signed it in March.",
                        "qas": [
                            {"id": "1", "question": "Who?", "is_impossible": False,
                             "answers": [{"text": "Ada", "answer_start": 0}]},
                            {"id": "2", "question": "Why?", "is_impossible": True, "answers": []},
                        ],
                    }
                ]
            }
        ]
    }  # fmt: skip
    said = [
        Answer("Ada signed", 0, 10, score=0.9, null_score=0.1),
        Answer("", 0, 0, score=0.8, null_score=0.8),
    ]
    found = evaluate_answers(Scripted(said), parse_squad(squad))
    assert found.measures["exact"] == 50.0
    assert found.measures["HasAns_f1"] == pytest.approx(100 * 2 / 3)
    assert found.measures["NoAns_exact"] == 100.0


def test_no_rows_and_unknown_gold_labels_are_refused():
    with pytest.raises(DataError, match="nothing to evaluate"):
        evaluate_classification(Scripted([]), [], [], labels=["a"])
    with pytest.raises(DataError, match="'c' is not one of the 2 labels"):
        evaluate_classification(Scripted([]), ["x"], ["c"], labels=["a", "b"])
    with pytest.raises(DataError, match="'yes' is not one of"):
        evaluate_entailment(Scripted([]), [("p", "h")], ["yes"])


def test_numbers_are_plain_floats():
    model = Scripted([{"a": 0.4, "b": 0.6}])
    found = evaluate_classification(model, ["x"], ["b"], labels=["a", "b"]).to_dict()
    assert not any(isinstance(value, np.generic) and not isinstance(value, float) for value in found.values())

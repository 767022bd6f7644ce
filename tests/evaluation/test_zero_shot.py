"""Evaluations measure what a model said, and nothing else."""

import numpy as np
import pytest

from labelwise.errors import DataError
from labelwise.evaluation.ranking import RankingQuery
from labelwise.evaluation.squad_file import parse_squad
from labelwise.evaluation.zero_shot import (
    evaluate_answers,
    evaluate_classification,
    evaluate_entailment,
    evaluate_rankings,
)
from labelwise.results import Answer, Classification, Entailment, LabelScore, RankedCandidate


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
    assert found.pairs_per_s == pytest.approx(2 * found.texts_per_s)


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
    # "Has an answer" was said with .9 of the one that has and .2 of the one that has not.
    drawn = found.to_dict()["threshold_curve"]
    assert [point["threshold"] for point in drawn] == pytest.approx([0.2, 0.9])
    assert [point["precision"] for point in drawn] == [0.5, 1.0]


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


class Overlap:
    """Ranks candidates by the share of their words that the query holds."""

    def rank(self, query, candidates, **settings):
        scores = [len({*query.split()} & {*text.split()}) / len(text.split()) for text in candidates]
        order = sorted(range(len(candidates)), key=lambda place: -scores[place])
        return [RankedCandidate(place, candidates[place], scores[place]) for place in order]


def test_rankings_are_measured_over_queries_of_any_length():
    queries = [
        RankingQuery("red fox", ("blue whale", "red fox"), (0, 1)),
        RankingQuery("late parcel", ("late parcel", "late train", "new parcel here"), (0, 1, 0)),
    ]
    told = []
    found = evaluate_rankings(Overlap(), queries, on_progress=lambda done, total: told.append((done, total)))
    assert found.measures["mrr"] == pytest.approx((1 + 1 / 2) / 2)
    assert found.measures["ndcg@10"] == pytest.approx((1 + 1 / np.log2(3)) / 2)
    assert told == [(2, 5), (5, 5)]
    assert found.pairs_per_s == pytest.approx(found.texts_per_s * 5 / 2)
    assert found.to_dict()["reliability_bins"]


def test_a_candidate_or_label_without_a_score_is_refused():
    class Forgetful(Overlap):
        def rank(self, query, candidates, **settings):
            return super().rank(query, candidates)[:1]

    with pytest.raises(DataError, match="no score to a candidate of query 'q'"):
        evaluate_rankings(Forgetful(), [RankingQuery("q", ("a", "b"), (1, 0))])
    with pytest.raises(DataError, match="scored 1 labels for text 1, it must be each of the 2 once"):
        evaluate_classification(Scripted([{"a": 1.0}]), ["x"], ["a"], labels=["a", "b"])
    with pytest.raises(DataError, match="1 results for 2 texts"):
        evaluate_classification(
            type("Short", (), {"classify": lambda *a, **k: [None]})(), ["x", "y"], ["a", "a"], labels=["a"]
        )


def test_two_class_checkpoints_with_a_contradiction_are_judged_by_two_classes():
    said = [Entailment("contradiction", 0.1, contradiction=0.9)]
    assert evaluate_entailment(Scripted(said), [("p", "h")], ["neutral"]).measures["accuracy"] == 1.0

"""Results are frozen, check themselves, and become plain dictionaries."""

import dataclasses
import json

import pytest

from labelwise.results import Answer, Classification, Entailment, LabelScore, RankedCandidate


def test_results_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        LabelScore("a", 0.5).score = 0.6


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_scores_must_be_finite(bad):
    with pytest.raises(ValueError, match="must be finite"):
        LabelScore("a", bad)
    with pytest.raises(ValueError, match="must be finite"):
        RankedCandidate(0, "t", bad)


def test_an_answer_must_fit_its_span():
    with pytest.raises(ValueError, match="does not fit"):
        Answer("abc", 0, 2, score=0.5, null_score=0.1)


def test_a_classification_becomes_json():
    label = LabelScore("billing", 0.9)
    result = Classification("text", (label,), label, (label,), num_tokens=3, windows_read=1)
    assert json.loads(json.dumps(result.to_dict())) == {
        "text": "text",
        "labels": [{"label": "billing", "score": 0.9}],
        "best": "billing",
        "accepted": ["billing"],
        "num_tokens": 3,
        "windows_read": 1,
        "was_truncated": False,
    }


def test_a_nested_label_shows_its_path():
    assert LabelScore("a > b", 0.5, ("a", "b")).to_dict()["path"] == ["a", "b"]


def test_a_two_class_entailment_has_no_neutral():
    result = Entailment("entailment", entailment=0.8, not_entailment=0.2)
    assert result.to_dict() == {
        "label": "entailment",
        "entailment": 0.8,
        "not_entailment": 0.2,
        "windows_read": 1,
    }

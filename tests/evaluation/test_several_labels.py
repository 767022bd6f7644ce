"""Measures of texts with any number of true labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from labelwise.errors import DataError, InputError
from labelwise.evaluation.several_labels import evaluate_several_labels, label_ranking_average_precision
from labelwise.results import Classification, LabelScore

sklearn_metrics = pytest.importorskip("sklearn.metrics")
LABELS = ["joy", "anger", "surprise"]


class Fixed:
    """Gives the same scores whatever is asked, accepts from the threshold on, and notes the settings."""

    def __init__(self, *rows: dict[str, float]) -> None:
        self.rows = rows
        self.asked: dict[str, object] = {}

    def classify(self, texts, labels, *, multi_label=False, threshold=0.5, **settings):
        self.asked = {"multi_label": multi_label, **settings}
        results = []
        for text, row in zip(texts, self.rows, strict=True):
            ranked = sorted(row.items(), key=lambda entry: -entry[1])
            scores = tuple(LabelScore(label, score) for label, score in ranked)
            accepted = tuple(entry for entry in scores if entry.score >= threshold)
            results.append(
                Classification(
                    text=text,
                    labels=scores,
                    best=accepted[0] if accepted else None,
                    accepted=accepted,
                    num_tokens=3,
                    windows_read=1,
                )
            )
        return results


MODEL = Fixed(
    {"joy": 0.9, "anger": 0.1, "surprise": 0.6},
    {"joy": 0.2, "anger": 0.4, "surprise": 0.3},
)
TEXTS = ["what a day", "not again"]
GOLD = [["joy", "surprise"], ["anger"]]


def test_what_was_accepted_is_judged_and_the_ranking_beside_it():
    found = evaluate_several_labels(MODEL, TEXTS, GOLD, labels=LABELS)
    assert MODEL.asked["multi_label"] is True
    assert found.measures["micro_precision"] == 1.0
    assert found.measures["micro_recall"] == pytest.approx(2 / 3)
    assert found.measures["micro_f1"] == pytest.approx(0.8)
    assert found.measures["macro_f1"] == pytest.approx(2 / 3)
    assert found.measures["exact_match"] == 0.5
    assert found.measures["lrap"] == 1.0
    assert (found.measures["labels_true"], found.measures["labels_accepted"]) == (1.5, 1.0)
    assert (found.num_rows, found.num_pairs) == (2, 6)
    assert [(entry.label, entry.recall) for entry in found.per_label] == [
        ("joy", 1.0),
        ("anger", 0.0),
        ("surprise", 1.0),
    ]


def test_a_lower_threshold_accepts_the_missing_label():
    found = evaluate_several_labels(MODEL, TEXTS, GOLD, labels=LABELS, threshold=0.35)
    assert found.measures["exact_match"] == found.measures["micro_f1"] == 1.0
    assert found.measures["best_micro_f1"] == 1.0


def test_a_text_without_a_true_label_is_right_when_nothing_is_accepted():
    found = evaluate_several_labels(MODEL, TEXTS, [["joy", "surprise"], []], labels=LABELS)
    assert found.measures["exact_match"] == 1.0


def test_a_label_outside_the_set_is_named_unless_it_is_excluded():
    gold = [["joy"], ["anger", "grief"]]
    with pytest.raises(DataError, match="gold label 'grief' is not one of the 3 labels"):
        evaluate_several_labels(MODEL, TEXTS, gold, labels=LABELS)
    found = evaluate_several_labels(MODEL, TEXTS, gold, labels=LABELS, excluded=("grief",))
    assert found.measures["labels_true"] == 1.0


def test_nothing_to_measure_is_said():
    with pytest.raises(DataError, match="0 texts"):
        evaluate_several_labels(MODEL, [], [], labels=LABELS)
    with pytest.raises(InputError, match="must both be"):
        label_ranking_average_precision(np.ones((2, 2)), np.ones((2, 3), dtype=bool))


SHAPE = st.tuples(st.integers(1, 6), st.integers(2, 5))


# Drawing is slow on a machine that does other work.
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SHAPE, st.data())
def test_the_ranking_measure_is_that_of_scikit_learn(shape, data):
    # Few distinct values, so that there are ties.
    scores = data.draw(arrays.arrays(np.float64, shape, elements=st.sampled_from([0.0, 0.25, 0.5, 1.0])))
    holds = data.draw(arrays.arrays(np.bool_, shape))
    expected = sklearn_metrics.label_ranking_average_precision_score(holds, scores)
    assert label_ranking_average_precision(scores, holds) == pytest.approx(expected)

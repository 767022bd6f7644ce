"""The threshold curve against scikit-learn and trial of every threshold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, precision_recall_curve

from labelwise.errors import InputError
from labelwise.evaluation.thresholds import threshold_curve

pairs_of_outcomes = st.lists(
    st.tuples(st.sampled_from([0.1, 0.5, 0.9]) | st.floats(0, 1), st.booleans()), min_size=1, max_size=30
).filter(lambda pairs: any(truth for _, truth in pairs))


@given(pairs_of_outcomes)
@settings(max_examples=150, deadline=None)
def test_the_curve_equals_that_of_scikit_learn(pairs):
    scores, holds = np.array([s for s, _ in pairs]), np.array([t for _, t in pairs])
    curve = threshold_curve(scores, holds)
    precision, recall, thresholds = precision_recall_curve(holds, scores)
    assert curve.thresholds == pytest.approx(thresholds)
    assert curve.precision == pytest.approx(precision[:-1])
    assert curve.recall == pytest.approx(recall[:-1])


@given(pairs_of_outcomes)
@settings(max_examples=60, deadline=None)
def test_no_threshold_beats_the_best_one(pairs):
    scores, holds = np.array([s for s, _ in pairs]), np.array([t for _, t in pairs])
    best = threshold_curve(scores, holds).best
    assert f1_score(holds, scores >= best.threshold) == pytest.approx(best.f1)
    assert best.f1 >= max(f1_score(holds, scores >= tried, zero_division=0) for tried in scores) - 1e-12


def test_the_highest_threshold_wins_among_equals():
    curve = threshold_curve(np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, False, True]))
    assert curve.f1[0] == curve.f1[3] == pytest.approx(2 / 3)
    assert curve.best.threshold == 0.9
    flat = threshold_curve(np.array([0.9, 0.1]), np.array([False, False]))
    assert flat.best.to_dict() == {"threshold": 0.9, "precision": 0.0, "recall": 0.0, "f1": 0.0}


def test_scores_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="one shape"):
        threshold_curve(np.ones(2), np.ones(3, bool))
    with pytest.raises(InputError, match="no NaN"):
        threshold_curve(np.array([np.nan]), np.ones(1, bool))

"""Thresholds per label: best by trial, steady for rare labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelwise.calibration.thresholds import best_f1_threshold, fit_thresholds
from labelwise.errors import InputError

outcomes = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.5, 1.0]) | st.floats(0, 1), st.booleans()), min_size=1, max_size=25
).filter(lambda pairs: any(truth for _, truth in pairs))


def f1_at(scores, holds, threshold):
    accepted = scores >= threshold
    return 2 * (accepted & holds).sum() / (accepted.sum() + holds.sum())


@given(outcomes)
@settings(max_examples=200, deadline=None)
def test_no_threshold_beats_the_best_one(pairs):
    scores, holds = np.array([s for s, _ in pairs]), np.array([t for _, t in pairs])
    best = best_f1_threshold(scores, holds)
    assert f1_at(scores, holds, best) == max(f1_at(scores, holds, tried) for tried in scores)


def test_the_threshold_stands_half_way_even_between_neighbouring_floats():
    assert best_f1_threshold(np.array([0.8, 0.4]), np.array([True, False])) == pytest.approx(0.6)
    # Rounding sends the middle of one of these pairs up and that of the other down.
    for score in (0.8, np.nextafter(0.8, 1.0)):
        just_below = np.nextafter(score, 0.0)
        assert best_f1_threshold(np.array([score, just_below]), np.array([True, False])) == score


LABELS = ["common", "rare", "unseen"]


def unequal_labels():
    random = np.random.default_rng(0)
    scores = random.uniform(0.0, 0.4, size=(400, 3))
    holds = np.zeros((400, 3), dtype=bool)
    holds[:200, 0] = True
    scores[:200, 0] = random.uniform(0.4, 1.0, size=200)
    holds[0, 1] = True
    scores[0, 1] = 0.99
    return scores, holds


def test_a_common_label_keeps_its_own_threshold_and_a_rare_one_stays_near_the_shared():
    scores, holds = unequal_labels()
    fit = fit_thresholds(scores, holds, labels=LABELS)
    own = best_f1_threshold(scores[:, 1], holds[:, 1])
    assert abs(fit.by_label["common"] - best_f1_threshold(scores[:, 0], holds[:, 0])) < 0.02
    assert fit.by_label["rare"] == pytest.approx((own + 10 * fit.shared) / 11)
    assert fit.by_label["unseen"] == fit.shared
    assert fit.num_positives == {"common": 200, "rare": 1, "unseen": 0}


def test_without_shrinkage_every_label_stands_for_itself():
    scores, holds = unequal_labels()
    fit = fit_thresholds(scores, holds, labels=LABELS, shrinkage=0.0)
    assert fit.by_label["rare"] == best_f1_threshold(scores[:, 1], holds[:, 1])
    assert fit.by_label["unseen"] == fit.shared


def test_per_label_thresholds_raise_the_f1_of_labels_on_different_scales():
    random = np.random.default_rng(1)
    holds = random.uniform(size=(600, 2)) < 0.4
    strength = random.normal(size=(600, 2)) + 3 * holds
    scores = 1 / (1 + np.exp(-(strength + np.array([1.5, -4.5]))))
    fit = fit_thresholds(scores[:300], holds[:300], labels=["eager", "shy"])
    per_label = np.array([fit.by_label["eager"], fit.by_label["shy"]])
    assert f1_at(scores[300:], holds[300:], per_label) > f1_at(scores[300:], holds[300:], fit.shared) + 0.05
    assert f1_at(scores[300:], holds[300:], per_label) > f1_at(scores[300:], holds[300:], 0.5) + 0.05


@pytest.mark.parametrize(
    ("scores", "holds", "labels", "shrinkage", "message"),
    [
        (np.ones((2, 2)), np.ones((2, 2), bool), ["a"], 10.0, "1 labels"),
        (np.ones((2, 2)), np.ones((2, 2), bool), ["a", "a"], 10.0, "different"),
        (np.full((2, 1), 3.0), np.ones((2, 1), bool), ["a"], 10.0, "between 0 and 1"),
        (np.ones((2, 1)), np.zeros((2, 1), bool), ["a"], 10.0, "at least one true label"),
        (np.ones((2, 1)), np.ones((2, 1), bool), ["a"], -1.0, "shrinkage"),
    ],
)
def test_what_cannot_be_fitted_is_refused(scores, holds, labels, shrinkage, message):
    with pytest.raises(InputError, match=message):
        fit_thresholds(scores, holds, labels=labels, shrinkage=shrinkage)

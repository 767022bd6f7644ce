"""Label biases learned from unlabelled texts: they help a favoured label and harm no other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelwise.calibration.prior import apply_label_biases, fit_label_biases
from labelwise.errors import InputError
from labelwise.scores import softmax

LABELS = ["billing", "delivery", "other"]


def texts_of(shares, *, favour, num_texts=2000, seed=0):
    """Return the logits of a model with a favour for some labels, and the true labels of its texts."""
    random = np.random.default_rng(seed)
    gold = random.choice(len(LABELS), size=num_texts, p=shares)
    logits = random.normal(size=(num_texts, len(LABELS))) + np.array(favour)
    logits[np.arange(num_texts), gold] += 1.5
    return logits, gold


def accuracies(shares, *, favour, **options):
    unlabelled, _ = texts_of(shares, favour=favour, seed=1)
    logits, gold = texts_of(shares, favour=favour, seed=2)
    biases = fit_label_biases(softmax(unlabelled), labels=LABELS, **options)
    corrected = apply_label_biases(logits, labels=LABELS, biases=biases)
    return (logits.argmax(axis=1) == gold).mean(), (corrected.argmax(axis=1) == gold).mean()


EVEN = [1 / 3, 1 / 3, 1 / 3]


def test_a_favoured_label_is_taken_back():
    before, after = accuracies(EVEN, favour=[0.0, 0.0, 2.0])
    fully_before, fully_after = accuracies(EVEN, favour=[0.0, 0.0, 2.0], strength=1.0)
    assert after > before + 0.06
    assert fully_after > fully_before + 0.1


def test_a_model_without_favour_is_left_as_it_is():
    before, after = accuracies(EVEN, favour=[0.0, 0.0, 0.0], strength=1.0)
    assert abs(after - before) < 0.01


def test_labels_that_are_somewhat_uneven_and_not_favoured_lose_little_at_the_usual_strength():
    before, after = accuracies([0.5, 0.3, 0.2], favour=[0.0, 0.0, 0.0])
    assert after > before - 0.02


def test_a_favour_for_the_label_that_is_rare_is_taken_back_too():
    before, after = accuracies([0.5, 0.3, 0.2], favour=[0.0, 0.0, 2.0])
    assert after > before + 0.1


def test_equal_scores_give_no_bias_at_all():
    biases = fit_label_biases(np.full((5, 3), 1 / 3), labels=LABELS)
    assert list(biases.values()) == pytest.approx([0.0, 0.0, 0.0])


def test_a_few_texts_move_little():
    one = fit_label_biases(np.array([[0.98, 0.01, 0.01]]), labels=LABELS)
    many = fit_label_biases(np.array([[0.98, 0.01, 0.01]] * 1000), labels=LABELS)
    assert abs(one["billing"]) < abs(many["billing"]) / 4
    assert many["billing"] == pytest.approx(-0.5 * np.log(0.98 * 3), abs=0.01)


@given(st.integers(0, 1000), st.integers(2, 6), st.floats(0.0, 1.0), st.floats(0.0, 20.0))
@settings(max_examples=60, deadline=None)
def test_strength_zero_changes_nothing_and_scores_stay_probabilities(
    seed, num_labels, strength, pseudo_texts
):
    random = np.random.default_rng(seed)
    logits = random.normal(size=(4, num_labels)) * 30
    labels = [f"label {place}" for place in range(num_labels)]
    scores = softmax(logits)
    biases = fit_label_biases(scores, labels=labels, strength=strength, pseudo_texts=pseudo_texts)
    corrected = apply_label_biases(logits, labels=labels, biases=biases)
    assert np.isfinite(corrected).all()
    assert corrected.sum(axis=1) == pytest.approx(np.ones(4))
    unchanged = fit_label_biases(scores, labels=labels, strength=0.0, pseudo_texts=pseudo_texts)
    assert apply_label_biases(logits, labels=labels, biases=unchanged) == pytest.approx(scores)


def test_biases_go_by_name_and_not_by_place():
    biases = {"billing": 0.0, "delivery": 0.0, "other": -5.0}
    scores = apply_label_biases(np.zeros((1, 3)), labels=["other", "billing", "delivery"], biases=biases)
    assert scores[0, 0] < 0.01
    with pytest.raises(InputError, match="fit them anew"):
        apply_label_biases(np.zeros((1, 2)), labels=["billing", "refund"], biases=biases)


@pytest.mark.parametrize(
    ("probabilities", "options", "message"),
    [
        (np.ones((2, 2)) / 2, {}, "3 labels"),
        (np.ones((0, 3)), {}, "3 labels"),
        (np.ones((2, 3)), {}, "sum to 1"),
        (np.full((2, 3), np.nan), {}, "sum to 1"),
        (np.ones((2, 3)) / 3, {"strength": 1.5}, "strength"),
        (np.ones((2, 3)) / 3, {"pseudo_texts": -1.0}, "pseudo_texts"),
    ],
)
def test_what_cannot_be_fitted_is_refused(probabilities, options, message):
    with pytest.raises(InputError, match=message):
        fit_label_biases(probabilities, labels=LABELS, **options)

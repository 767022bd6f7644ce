"""Calibration measures against scikit-learn, a loop, and numbers by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, log_loss

from labelwise.errors import InputError
from labelwise.evaluation.reliability import (
    brier_score,
    evaluate_reliability,
    expected_calibration_error,
    negative_log_likelihood,
    reliability_table,
)
from labelwise.scores import softmax

outcomes = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.2, 0.5, 1.0]) | st.floats(0, 1), st.booleans()),
    min_size=1,
    max_size=40,
)


def looped_ece(probabilities, is_true, num_bins):
    total = 0.0
    for place in range(num_bins):
        lower, upper = np.linspace(0, 1, num_bins + 1)[place : place + 2]
        inside = [
            (value, truth)
            for value, truth in zip(probabilities, is_true, strict=True)
            if lower < value <= upper or (place == 0 and value == 0.0)
        ]
        if inside:
            total += abs(sum(value for value, _ in inside) - sum(truth for _, truth in inside))
    return total / len(probabilities)


@given(outcomes, st.integers(1, 20))
@settings(max_examples=150, deadline=None)
def test_ece_equals_a_plain_loop_and_every_prediction_has_one_bin(pairs, num_bins):
    probabilities, is_true = np.array([p for p, _ in pairs]), np.array([t for _, t in pairs])
    table = reliability_table(probabilities, is_true, num_bins=num_bins)
    assert sum(entry.count for entry in table) == len(pairs)
    assert expected_calibration_error(table) == pytest.approx(looped_ece(probabilities, is_true, num_bins))


@given(outcomes)
@settings(max_examples=60, deadline=None)
def test_yes_no_measures_equal_those_of_scikit_learn(pairs):
    probabilities, is_true = np.array([p for p, _ in pairs]), np.array([t for _, t in pairs])
    assert brier_score(probabilities, is_true) == pytest.approx(
        brier_score_loss(is_true, probabilities, pos_label=True, labels=[False, True])
    )
    assert negative_log_likelihood(probabilities, is_true) == pytest.approx(
        log_loss(is_true, probabilities, labels=[False, True]), abs=1e-9
    )


def test_measures_of_competing_labels_equal_those_of_scikit_learn():
    random = np.random.default_rng(0)
    probabilities = softmax(random.normal(size=(50, 4)) * 3)
    gold = random.integers(0, 4, size=50)
    columns = [0, 1, 2, 3]
    report = evaluate_reliability(probabilities, gold)
    assert report.nll == pytest.approx(log_loss(gold, probabilities, labels=columns))
    assert report.brier == pytest.approx(
        brier_score_loss(gold, probabilities, labels=columns, scale_by_half=False)
    )


def test_the_top_label_alone_makes_the_table_of_competing_labels():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]])
    report = evaluate_reliability(probabilities, np.array([0, 1]), num_bins=2)
    assert [entry.count for entry in report.table] == [1, 1]
    assert report.ece == pytest.approx((0.3 + 0.4) / 2)
    assert report.brier == pytest.approx((0.09 + 0.04 + 0.01 + 0.09 + 0.49 + 0.16) / 2)


def test_edges_belong_to_the_bin_below_and_zero_to_the_first():
    table = reliability_table(np.array([0.0, 0.5, 1.0]), np.array([False, True, True]), num_bins=2)
    assert [entry.count for entry in table] == [2, 1]
    empty = reliability_table(np.array([1.0]), np.array([True]), num_bins=2)[0]
    assert (empty.count, empty.mean_probability, empty.share_true) == (0, None, None)


def test_scores_drawn_from_their_own_probabilities_are_reliable():
    random = np.random.default_rng(1)
    probabilities = random.uniform(size=20000)
    honest = evaluate_reliability(probabilities, random.uniform(size=20000) < probabilities)
    boastful = evaluate_reliability(probabilities, random.uniform(size=20000) < 0.5)
    assert honest.ece < 0.02
    assert boastful.ece > 0.2
    assert json.loads(json.dumps(honest.to_dict()))["reliability"][0]["lower"] == 0.0


def test_a_certain_error_costs_much_but_not_infinitely():
    assert 30 < negative_log_likelihood(np.array([0.0]), np.array([True])) < 40


@pytest.mark.parametrize(
    ("probabilities", "gold", "message"),
    [
        (np.array([0.5]), np.array([True, False]), "do not fit"),
        (np.array([]), np.array([], dtype=bool), "do not fit"),
        (np.array([1.5]), np.array([True]), "between 0 and 1"),
        (np.array([np.nan]), np.array([True]), "between 0 and 1"),
        (np.array([0.5]), np.array([1]), "do not fit"),
        (np.array([[0.5, 0.5]]), np.array([2]), "from 0 to 1, got 2 to 2"),
    ],
)
def test_what_is_no_probability_is_refused(probabilities, gold, message):
    with pytest.raises(InputError, match=message):
        evaluate_reliability(probabilities, gold)

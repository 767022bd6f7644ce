"""The fitted temperature against known answers, a fine grid, and data that have none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelwise.calibration.temperature import fit_sigmoid_temperature, fit_softmax_temperature
from labelwise.errors import InputError
from labelwise.evaluation.reliability import evaluate_reliability, negative_log_likelihood
from labelwise.scores import sigmoid, softmax


def drawn(num_examples, num_labels, *, seed=0):
    """Return logits and labels drawn from their softmax, so that temperature 1 is right."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(num_examples, num_labels)) * 2
    gold = np.array([random.choice(num_labels, p=row) for row in softmax(logits)])
    return logits, gold


@pytest.mark.parametrize("true_temperature", [0.3, 1.0, 2.5, 8.0])
def test_a_known_temperature_is_found_again(true_temperature):
    logits, gold = drawn(4000, 5)
    fit = fit_softmax_temperature(logits * true_temperature, gold)
    assert fit.temperature == pytest.approx(true_temperature, rel=0.06)
    assert not fit.is_at_limit


def test_calibrating_on_one_half_at_least_halves_the_ece_of_an_overconfident_model_on_the_other():
    logits, gold = drawn(6000, 4)
    logits = logits * 3
    temperature = fit_softmax_temperature(logits[:3000], gold[:3000]).temperature
    before = evaluate_reliability(softmax(logits[3000:]), gold[3000:])
    after = evaluate_reliability(softmax(logits[3000:] / temperature), gold[3000:])
    assert after.ece < before.ece / 4
    assert after.nll < before.nll
    assert after.brier < before.brier


@given(st.integers(0, 10_000), st.floats(0.2, 6.0))
@settings(max_examples=25, deadline=None)
def test_no_temperature_of_a_fine_grid_is_better(seed, stretch):
    logits, gold = drawn(40, 3, seed=seed)
    fit = fit_softmax_temperature(logits * stretch, gold)
    grid = np.geomspace(0.01, 100, 400)
    best = min(negative_log_likelihood(softmax(logits * stretch / tried), gold) for tried in grid)
    assert fit.nll_after <= best + 1e-9
    assert fit.nll_after <= fit.nll_before
    assert fit.nll_before == pytest.approx(negative_log_likelihood(softmax(logits * stretch), gold))


def test_the_sigmoid_fit_equals_its_closed_form_and_the_softmax_of_two():
    margins = np.full((2, 2), 2.0)
    holds = np.array([[True, True], [True, False]])
    fit = fit_sigmoid_temperature(margins, holds)
    assert sigmoid(np.array([2.0 / fit.temperature]))[0] == pytest.approx(0.75)
    assert fit.num_examples == 4
    random = np.random.default_rng(3)
    drawn_margins = random.normal(size=500) * 4
    truth = random.uniform(size=500) < sigmoid(drawn_margins / 2)
    pair_logits = np.stack([np.zeros(500), drawn_margins], axis=1)
    as_softmax = fit_softmax_temperature(pair_logits, truth.astype(int))
    assert fit_sigmoid_temperature(drawn_margins, truth).temperature == pytest.approx(as_softmax.temperature)


def test_absent_labels_change_nothing():
    logits, gold = drawn(200, 3)
    padded = np.concatenate([logits, np.full((200, 2), -np.inf)], axis=1)
    assert fit_softmax_temperature(padded, gold) == fit_softmax_temperature(logits, gold)


def test_a_model_that_is_always_right_is_said_to_be_at_the_limit():
    fit = fit_softmax_temperature(np.array([[9.0, 0.0], [0.0, 9.0]]), np.array([0, 1]))
    assert fit.is_at_limit
    assert fit.temperature == pytest.approx(0.01)


def test_a_model_that_is_always_wrong_is_said_to_be_at_the_limit():
    fit = fit_softmax_temperature(np.array([[9.0, 0.0], [0.0, 9.0]]), np.array([1, 0]))
    assert fit.is_at_limit
    assert fit.temperature == pytest.approx(100.0)


def test_logits_that_say_nothing_keep_temperature_one():
    fit = fit_softmax_temperature(np.zeros((4, 3)), np.array([0, 1, 2, 0]))
    assert (fit.temperature, fit.is_at_limit) == (1.0, False)
    assert fit.nll_after == fit.nll_before == pytest.approx(np.log(3))


def test_a_temperature_is_judged_against_the_one_in_use():
    logits, gold = drawn(500, 3)
    best = fit_softmax_temperature(logits * 3, gold)
    assert best.is_useful
    assert fit_softmax_temperature(logits * 3, gold, in_use=2.0).nll_before < best.nll_before
    again = fit_softmax_temperature(logits * 3, gold, in_use=best.temperature)
    assert (again.temperature, again.is_useful, again.is_at_limit) == (best.temperature, False, False)
    nothing = fit_softmax_temperature(np.zeros((4, 3)), np.array([0, 1, 2, 0]), in_use=2.5)
    assert (nothing.temperature, nothing.is_useful) == (2.5, False)


def test_huge_logits_do_not_overflow():
    logits, gold = drawn(100, 3)
    fit = fit_softmax_temperature(logits * 1e5, gold)
    assert np.isfinite(fit.nll_before)
    assert np.isfinite(fit.temperature)


@pytest.mark.parametrize(
    ("logits", "gold", "message"),
    [
        (np.zeros(3), np.array([0, 0, 0]), "must be"),
        (np.zeros((2, 3)), np.array([0]), "must be"),
        (np.zeros((0, 3)), np.array([], dtype=int), "must be"),
        (np.zeros((1, 3)), np.array([3]), "from 0 to 2"),
        (np.array([[np.nan, 0.0]]), np.array([1]), "finite"),
        (np.array([[-np.inf, 0.0]]), np.array([0]), "finite"),
    ],
)
def test_logits_that_cannot_be_fitted_are_refused(logits, gold, message):
    with pytest.raises(InputError, match=message):
        fit_softmax_temperature(logits, gold)


def test_margins_that_cannot_be_fitted_are_refused():
    with pytest.raises(InputError, match="one shape"):
        fit_sigmoid_temperature(np.zeros(2), np.ones(3, bool))
    with pytest.raises(InputError, match="finite"):
        fit_sigmoid_temperature(np.array([np.inf]), np.ones(1, bool))

"""Scores are stable, finite and what the formulas say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from labelwise.errors import BackendError, InputError
from labelwise.scores import (
    check_finite,
    check_score_mode,
    entailment_evidence,
    entailment_margin,
    log_odds,
    sigmoid,
    softmax,
)

logits = arrays(np.float64, (4, 3), elements=st.floats(-50, 50))


@given(logits)
def test_softmax_sums_to_one(values):
    assert np.allclose(softmax(values).sum(axis=-1), 1.0)


def test_softmax_does_not_overflow_where_transformers_does():
    assert softmax(np.array([1e4, 0.0, -1e4])).tolist() == [1.0, 0.0, 0.0]


@given(st.floats(-1e6, 1e6))
def test_sigmoid_is_symmetric_and_finite(value):
    left, right = sigmoid(np.array([value, -value]))
    assert left + right == pytest.approx(1.0)


@given(logits, st.integers(0, 2))
def test_log_odds_is_the_logit_of_the_softmax(values, column):
    assert np.allclose(sigmoid(log_odds(values, column=column)), softmax(values)[:, column])


@given(logits)
def test_the_margin_against_contradiction_ignores_neutral(values):
    margin = entailment_margin(values, entailment=0, against=2, score_mode="entail_logit")
    pair = softmax(values[:, [2, 0]])[:, 1]
    assert np.allclose(sigmoid(margin), pair)


@given(logits)
def test_entail_minus_rest_uses_every_class(values):
    assert np.allclose(
        sigmoid(entailment_margin(values, entailment=1, against=0, score_mode="entail_minus_rest")),
        softmax(values)[:, 1],
    )
    assert np.allclose(
        entailment_evidence(values, entailment=1, score_mode="entail_minus_rest"), log_odds(values, column=1)
    )


def test_the_entailment_logit_is_the_default_evidence():
    assert entailment_evidence(
        np.array([[3.0, 1.0, 2.0]]), entailment=2, score_mode="entail_logit"
    ).tolist() == [2.0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(bad):
    with pytest.raises(BackendError, match="logits holds numbers that are not finite"):
        check_finite(np.array([0.0, bad]), name="logits")


def test_an_unknown_score_mode_is_refused():
    with pytest.raises(InputError, match="'entail' is not one of entail_logit, entail_minus_rest"):
        check_score_mode("entail")

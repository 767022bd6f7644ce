"""The bias of "none of these" makes its scores add up to what is true."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelwise.calibration.none_of_these import fit_none_bias
from labelwise.errors import InputError
from labelwise.scores import sigmoid

margins = st.lists(st.floats(-20, 20), min_size=2, max_size=30).map(np.array)


@settings(deadline=None)
@given(margins)
def test_the_scores_of_none_sum_to_the_texts_that_none_fits(best):
    is_none = np.arange(len(best)) == 0
    bias = fit_none_bias(best, is_none)
    assert sigmoid(bias - best).sum() == pytest.approx(1.0, rel=1e-6)


@settings(deadline=None)
@given(margins, st.floats(-5, 5))
def test_margins_that_all_rise_move_the_bias_by_as_much(best, rise):
    is_none = np.arange(len(best)) % 2 == 0
    assert fit_none_bias(best + rise, is_none) == pytest.approx(fit_none_bias(best, is_none) + rise, abs=1e-6)


@pytest.mark.parametrize("is_none", [[True, True], [False, False]])
def test_texts_of_one_kind_tell_nothing(is_none):
    with pytest.raises(InputError, match="texts of both kinds"):
        fit_none_bias(np.zeros(2), np.array(is_none))


def test_margins_without_end_are_refused():
    with pytest.raises(InputError, match="finite"):
        fit_none_bias(np.array([np.inf, 0.0]), np.array([True, False]))

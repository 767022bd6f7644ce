"""One number that makes "none of these" as frequent as it is true."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import InputError
from labelwise.scores import sigmoid

__all__ = ["fit_none_bias"]

_LIMIT: Final = 100.0
# Each step halves an interval of 200: 60 take it to 2e-16.
_NUM_STEPS: Final = 60


def fit_none_bias(best_margins: NDArray[np.floating], is_none: NDArray[np.bool_]) -> float:
    """Return what to add to the log-odds that none of the labels fits.

    The score of a none label is the probability that not even the best label holds. The best of many labels
    is the one that was overrated most, so that score is too low, the more so the more labels there are. The
    number that is most likely is the one with which the scores sum to the number of texts that none fits: a
    logistic regression of which only the intercept is free, solved by halving.

    Args:
        best_margins: shape (texts,): the log-odds of the best label of each text by itself, after the
            temperature and the label biases that will be used with them.
        is_none: shape (texts,): True where no label fits.

    Raises:
        InputError: shapes differ, a margin is not finite, or the texts are all of one kind.

    >>> bias = fit_none_bias(np.array([2.0, 2.0]), np.array([True, False]))
    >>> round(bias, 6)
    2.0
    """
    margins = np.asarray(best_margins, dtype=np.float64)
    if margins.shape != is_none.shape or margins.ndim != 1 or not np.isfinite(margins).all():
        raise InputError(
            f"best_margins {margins.shape} and is_none {is_none.shape} must be (texts,) and finite"
        )
    num_none = int(is_none.sum())
    if not 0 < num_none < len(margins):
        raise InputError(
            f"none of the labels fits {num_none} of {len(margins)} texts: give texts of both kinds"
        )
    low, high = -_LIMIT, _LIMIT
    for _ in range(_NUM_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if sigmoid(middle - margins).sum() < num_none else (low, middle)
    return (low + high) / 2

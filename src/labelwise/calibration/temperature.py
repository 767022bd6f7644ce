"""One temperature that makes probabilities honest: it divides the logits and never changes their order.

Source: Guo, Pleiss, Sun and Weinberger (2017), "On Calibration of Modern Neural Networks".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import InputError

__all__ = ["TemperatureFit", "fit_sigmoid_temperature", "fit_softmax_temperature"]

Floats = NDArray[np.float64]

_LEAST: Final = 0.01
_GREATEST: Final = 100.0
# Each step halves the interval of the logarithm: 50 take it from 9.2 to 1e-14.
_NUM_STEPS: Final = 50


@dataclass(frozen=True, slots=True)
class TemperatureFit:
    """A fitted temperature.

    Attributes:
        temperature: above 1 the model was too sure, below 1 not sure enough.
        nll_before: mean negative log-likelihood at the temperature in use before, in nats.
        nll_after: the same at ``temperature``; never greater. Where it is no less, ``temperature`` is the one
            in use.
        num_examples: outcomes that it was fitted on.
        is_at_limit: True when the best temperature lies outside 0.01 to 100: the model is always right
            (fit on more or harder examples) or no better than chance (check the labels).
    """

    temperature: float
    nll_before: float
    nll_after: float
    num_examples: int
    is_at_limit: bool

    @property
    def is_useful(self) -> bool:
        """True when it lowered the loss and is not merely where the search ends."""
        return self.nll_after < self.nll_before and not self.is_at_limit

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return {
            "temperature": self.temperature,
            "nll_before": self.nll_before,
            "nll_after": self.nll_after,
            "num_examples": self.num_examples,
            "is_at_limit": self.is_at_limit,
        }


def fit_softmax_temperature(
    logits: NDArray[np.floating], gold: NDArray[np.integer], *, in_use: float = 1.0
) -> TemperatureFit:
    """Fit the temperature of labels that compete, or of the classes of an entailment head.

    The likelihood is concave in ``1 / temperature``, so its slope changes sign once and halving the
    interval around that place finds the best temperature, whatever the data.

    Args:
        logits: shape (examples, labels); -inf where an example has fewer labels than others.
        gold: shape (examples,): the column of the true label.
        in_use: the temperature that the model has so far; it stays where no other one is better.

    Raises:
        InputError: shapes do not fit, there is no example, a logit is NaN or +inf, or a true label's is -inf.

    >>> fit = fit_softmax_temperature(np.array([[2.0, 0.0]] * 4), np.array([0, 0, 0, 1]))
    >>> round(fit.temperature, 4)     # the odds should be 3, so 2 / temperature = log 3
    1.8205
    """
    wide = np.asarray(logits, dtype=np.float64)
    if wide.ndim != 2 or gold.shape != wide.shape[:1] or not wide.size:
        raise InputError(
            f"logits {wide.shape} and gold {gold.shape} must be (examples, labels) and (examples,)"
        )
    if not ((gold >= 0) & (gold < wide.shape[1])).all():
        raise InputError(
            f"gold must hold columns from 0 to {wide.shape[1] - 1}, got {gold.min()} to {gold.max()}"
        )
    of_truth = wide[np.arange(len(wide)), gold]
    if np.isnan(wide).any() or np.isposinf(wide).any() or not np.isfinite(of_truth).all():
        raise InputError("logits must be finite, or -inf where a label that is not the true one is absent")
    return _fit(wide, of_truth, in_use)


def fit_sigmoid_temperature(
    margins: NDArray[np.floating], holds: NDArray[np.bool_], *, in_use: float = 1.0
) -> TemperatureFit:
    """Fit the temperature of labels that are judged by themselves.

    Args:
        margins: any shape: log-odds of each label, before the sigmoid.
        holds: the same shape: True where the label is true.
        in_use: the temperature that the model has so far; it stays where no other one is better.

    Raises:
        InputError: shapes differ, there is no example, or a margin is not finite.
    """
    wide = np.asarray(margins, dtype=np.float64).ravel()
    if margins.shape != holds.shape or not wide.size or not np.isfinite(wide).all():
        raise InputError(
            f"margins {margins.shape} and holds {holds.shape} must have one shape, with finite entries"
        )
    # A sigmoid is a softmax against a logit of 0.
    pairs = np.stack([wide, np.zeros_like(wide)], axis=1)
    return _fit(pairs, np.where(np.asarray(holds, dtype=bool).ravel(), wide, 0.0), in_use)


def _fit(logits: Floats, of_truth: Floats, in_use: float) -> TemperatureFit:
    low, high = math.log(_LEAST), math.log(_GREATEST)
    if _wants_hotter(logits, of_truth, _GREATEST):
        low = high
    elif not _wants_hotter(logits, of_truth, _LEAST):
        high = low
    is_at_limit = low == high
    for _ in range(0 if is_at_limit else _NUM_STEPS):
        middle = (low + high) / 2
        if _wants_hotter(logits, of_truth, math.exp(middle)):
            low = middle
        else:
            high = middle
    temperature = math.exp((low + high) / 2)
    nll_before = _nll(logits, of_truth, in_use)
    nll_after = _nll(logits, of_truth, temperature)
    if nll_after >= nll_before:
        # Nothing to gain, such as logits that are all equal: leave the model as it is.
        temperature, nll_after, is_at_limit = in_use, nll_before, False
    return TemperatureFit(temperature, nll_before, nll_after, len(logits), is_at_limit)


def _wants_hotter(logits: Floats, of_truth: Floats, temperature: float) -> bool:
    """Say whether the model is too sure: it expects a higher logit of the truth than it gets."""
    powers = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
    present = np.where(powers > 0.0, logits, 0.0)
    expected = (powers * present).sum(axis=1) / powers.sum(axis=1)
    return bool((expected - of_truth).mean() > 0.0)


def _nll(logits: Floats, of_truth: Floats, temperature: float) -> float:
    top = logits.max(axis=1)
    spread = np.log(np.exp((logits - top[:, None]) / temperature).sum(axis=1))
    return float((spread + (top - of_truth) / temperature).mean())

"""Whether a probability means what it says: ECE, Brier score, log loss and the reliability table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import InputError

__all__ = [
    "ReliabilityBin",
    "ReliabilityReport",
    "brier_score",
    "evaluate_reliability",
    "expected_calibration_error",
    "negative_log_likelihood",
    "reliability_table",
    "top_label_outcomes",
]

Floats = NDArray[np.float64]

# A certain and wrong prediction would be an infinite loss; scikit-learn clips at the same distance from 0.
_LEAST_PROBABILITY = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """The predictions with a probability in ``(lower, upper]``; the first bin also holds 0.

    ``mean_probability`` and ``share_true`` are None in an empty bin.
    """

    lower: float
    upper: float
    count: int
    mean_probability: float | None
    share_true: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return {
            "lower": self.lower,
            "upper": self.upper,
            "count": self.count,
            "mean_probability": self.mean_probability,
            "share_true": self.share_true,
        }


@dataclass(frozen=True, slots=True)
class ReliabilityReport:
    """How far probabilities are from frequencies; lower is better in all three.

    Attributes:
        ece: mean distance between probability and frequency over the bins, weighted by count.
        brier: mean squared error; from 0 to 1 for yes/no outcomes, to 2 over competing labels.
        nll: mean negative log-likelihood, in nats.
        table: the bins of the reliability diagram.
    """

    ece: float
    brier: float
    nll: float
    table: tuple[ReliabilityBin, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the measures and the table, ready for JSON."""
        return {
            "ece": self.ece,
            "brier": self.brier,
            "nll": self.nll,
            "reliability": [entry.to_dict() for entry in self.table],
        }


def evaluate_reliability(
    probabilities: NDArray[np.floating], gold: NDArray[np.integer] | NDArray[np.bool_], *, num_bins: int = 15
) -> ReliabilityReport:
    """Return ECE, Brier score, log loss and the reliability table.

    Args:
        probabilities: competing labels: shape (texts, labels), rows that sum to 1. Labels by themselves:
            any shape, each from 0 to 1.
        gold: competing labels: shape (texts,), the column of the true label. Labels by themselves: the
            shape of ``probabilities``, True where the label holds.
        num_bins: bins of equal width; 15 as in Guo et al. (2017).

    Raises:
        InputError: shapes do not fit, a probability is outside 0 to 1, or there is none.
    """
    outcome_probabilities, is_true = top_label_outcomes(probabilities, gold)
    table = reliability_table(outcome_probabilities, is_true, num_bins=num_bins)
    return ReliabilityReport(
        ece=expected_calibration_error(table),
        brier=brier_score(probabilities, gold),
        nll=negative_log_likelihood(probabilities, gold),
        table=table,
    )


def top_label_outcomes(
    probabilities: NDArray[np.floating], gold: NDArray[np.integer] | NDArray[np.bool_]
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the probabilities whose truth is judged and whether each came true.

    For competing labels that is the best label of each text; for labels by themselves it is every one.
    """
    wide, truth = _checked(probabilities, gold)
    if truth.dtype == np.bool_:
        return wide.ravel(), truth.astype(bool).ravel()
    return wide.max(axis=1), wide.argmax(axis=1) == truth


def reliability_table(
    probabilities: NDArray[np.floating], is_true: NDArray[np.bool_], *, num_bins: int = 15
) -> tuple[ReliabilityBin, ...]:
    """Sort predictions into bins of equal width by their probability.

    Args:
        probabilities: shape (predictions,).
        is_true: shape (predictions,): whether each came true.
        num_bins: how many bins from 0 to 1.

    >>> reliability_table(np.array([0.9, 0.8]), np.array([True, False]), num_bins=2)[1].share_true
    0.5
    """
    if num_bins < 1:
        raise InputError(f"num_bins must be at least 1, got {num_bins}")
    wide, truth = _checked(probabilities, np.asarray(is_true, dtype=bool))
    edges = np.linspace(0.0, 1.0, num_bins + 1)
    bin_of = np.clip(np.searchsorted(edges, wide, side="left") - 1, 0, num_bins - 1)
    counts = np.bincount(bin_of, minlength=num_bins)
    summed = np.bincount(bin_of, weights=wide, minlength=num_bins)
    num_true = np.bincount(bin_of, weights=truth, minlength=num_bins)
    return tuple(
        ReliabilityBin(
            lower=float(edges[place]),
            upper=float(edges[place + 1]),
            count=int(count),
            mean_probability=float(summed[place] / count) if count else None,
            share_true=float(num_true[place] / count) if count else None,
        )
        for place, count in enumerate(counts)
    )


def expected_calibration_error(table: tuple[ReliabilityBin, ...]) -> float:
    """Return the mean of ``|mean_probability - share_true|`` over the bins, weighted by their counts.

    Source: Naeini, Cooper and Hauskrecht (2015); bins as in Guo et al. (2017).

    >>> even = ReliabilityBin(lower=0.5, upper=1.0, count=4, mean_probability=0.9, share_true=0.75)
    >>> round(expected_calibration_error((even,)), 6)
    0.15
    """
    total = sum(entry.count for entry in table)
    distance = sum(
        entry.count * abs(entry.mean_probability - entry.share_true)
        for entry in table
        if entry.mean_probability is not None and entry.share_true is not None
    )
    return distance / total


def brier_score(probabilities: NDArray[np.floating], gold: NDArray[np.integer] | NDArray[np.bool_]) -> float:
    """Return the mean squared distance between probabilities and what came true (Brier, 1950).

    For competing labels the squares are summed over the labels of a text, so the worst value is 2.
    Arguments as in ``evaluate_reliability``.
    """
    wide, truth = _checked(probabilities, gold)
    if truth.dtype == np.bool_:
        return float(np.square(wide - truth).mean())
    return float(np.square(wide - np.eye(wide.shape[1])[truth]).sum(axis=1).mean())


def negative_log_likelihood(
    probabilities: NDArray[np.floating], gold: NDArray[np.integer] | NDArray[np.bool_]
) -> float:
    """Return the mean negative log of the probability given to what came true, in nats.

    Probabilities are kept 2.2e-16 away from 0. Arguments as in ``evaluate_reliability``.
    """
    wide, truth = _checked(probabilities, gold)
    if truth.dtype == np.bool_:
        of_truth = np.where(truth, wide, 1.0 - wide)
    else:
        of_truth = wide[np.arange(len(truth)), truth]
    return float(-np.log(np.clip(of_truth, _LEAST_PROBABILITY, 1.0)).mean())


def _checked(
    probabilities: NDArray[np.floating], gold: NDArray[np.integer] | NDArray[np.bool_]
) -> tuple[Floats, NDArray[np.integer] | NDArray[np.bool_]]:
    wide = np.asarray(probabilities, dtype=np.float64)
    expected = wide.shape if gold.dtype == np.bool_ else wide.shape[:1]
    if gold.shape != expected or (gold.dtype != np.bool_ and wide.ndim != 2) or not wide.size:
        raise InputError(
            f"probabilities {wide.shape} and gold {gold.shape} ({gold.dtype}) do not fit: give one column "
            "number per row, or one True or False per probability"
        )
    if not ((wide >= 0.0) & (wide <= 1.0)).all():
        raise InputError(
            "every probability must be between 0 and 1: apply softmax or sigmoid to logits first"
        )
    if gold.dtype != np.bool_ and not ((gold >= 0) & (gold < wide.shape[1])).all():
        raise InputError(
            f"gold columns must be from 0 to {wide.shape[1] - 1}, got {gold.min()} to {gold.max()}"
        )
    return wide, gold

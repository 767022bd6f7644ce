"""Precision, recall and F1 at every threshold that makes a difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import InputError

__all__ = ["ThresholdCurve", "ThresholdPoint", "threshold_curve"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ThresholdPoint:
    """What happens when scores of at least ``threshold`` are accepted."""

    threshold: float
    precision: float
    recall: float
    f1: float

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return {
            "threshold": self.threshold,
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
        }


@dataclass(frozen=True, slots=True)
class ThresholdCurve:
    """One entry per distinct score, thresholds rising; a score is accepted when it reaches the threshold.

    All four arrays have shape (distinct scores,).
    """

    thresholds: Floats
    precision: Floats
    recall: Floats
    f1: Floats

    @property
    def best(self) -> ThresholdPoint:
        """The point of greatest F1; the highest threshold among equals, which accepts least."""
        place = len(self.f1) - 1 - int(self.f1[::-1].argmax())
        return self.at(place)

    def at(self, place: int) -> ThresholdPoint:
        """Return one point of the curve."""
        return ThresholdPoint(
            threshold=float(self.thresholds[place]),
            precision=float(self.precision[place]),
            recall=float(self.recall[place]),
            f1=float(self.f1[place]),
        )


def threshold_curve(scores: NDArray[np.floating], holds: NDArray[np.bool_]) -> ThresholdCurve:
    """Return precision, recall and F1 by threshold.

    Args:
        scores: any shape; pooled over labels if it has several columns.
        holds: the same shape: True where accepting would be right. Without a single True, recall is 0.

    Raises:
        InputError: shapes differ, there is no score, or one is NaN.

    >>> threshold_curve(np.array([0.9, 0.6, 0.3]), np.array([True, True, False])).best.threshold
    0.6
    """
    if scores.shape != holds.shape or not scores.size or np.isnan(scores).any():
        raise InputError(
            f"scores {scores.shape} and holds {holds.shape} must have one shape, an entry and no NaN"
        )
    values, group_of = np.unique(np.asarray(scores, dtype=np.float64).ravel(), return_inverse=True)
    truth = np.asarray(holds, dtype=bool).ravel()
    num_accepted = np.bincount(group_of)[::-1].cumsum()[::-1]
    num_hits = np.bincount(group_of, weights=truth)[::-1].cumsum()[::-1]
    num_true = int(truth.sum())
    return ThresholdCurve(
        thresholds=values,
        precision=num_hits / num_accepted,
        recall=num_hits / max(num_true, 1),
        f1=2 * num_hits / (num_accepted + num_true),
    )

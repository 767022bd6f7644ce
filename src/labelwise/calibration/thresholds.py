"""One threshold per label, with rare labels held near the threshold of all labels together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import InputError

__all__ = ["ThresholdFit", "best_f1_threshold", "fit_thresholds"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ThresholdFit:
    """Fitted thresholds; a score is accepted when it reaches its label's.

    Attributes:
        shared: the threshold of greatest F1 over all labels pooled.
        by_label: label to its own threshold, shrunk towards ``shared``.
        num_positives: label to the number of texts that truly have it.
    """

    shared: float
    by_label: dict[str, float]
    num_positives: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return {"shared": self.shared, "by_label": self.by_label, "num_positives": self.num_positives}


def fit_thresholds(
    scores: NDArray[np.floating],
    holds: NDArray[np.bool_],
    *,
    labels: Sequence[str],
    shrinkage: float = 10.0,
) -> ThresholdFit:
    """Choose the threshold of greatest F1 for each label.

    A threshold that is tuned on a handful of positives fits their noise (Lipton, Elkan and Naryanaswamy,
    2014). So each is ``(n * own + shrinkage * shared) / (n + shrinkage)``, n being the label's positives: a
    label with ``shrinkage`` positives lands half-way, one without any takes the shared threshold. Where such
    means do worse over all labels pooled than the shared threshold does, every label takes that one, so the
    pooled F1 of the fitted texts is never below that of any one threshold for all.

    Args:
        scores: shape (texts, labels): probabilities, after the temperature that will be used with them.
        holds: the same shape: True where the label is true.
        labels: the names of the columns.
        shrinkage: positives that the shared threshold weighs as much as; 0 trusts every label by itself.

    Raises:
        InputError: shapes do not fit, a score is outside 0 to 1, no label is ever true, or shrinkage is
            below 0.
    """
    wide, truth = np.asarray(scores, dtype=np.float64), np.asarray(holds, dtype=bool)
    if wide.shape != truth.shape or wide.ndim != 2 or wide.shape[1] != len(labels):
        raise InputError(
            f"scores {wide.shape} and holds {truth.shape} must both be (texts, {len(labels)} labels)"
        )
    if len(set(labels)) != len(labels):
        raise InputError(f"labels must be different from each other, got {list(labels)[:10]!r}")
    if not ((wide >= 0.0) & (wide <= 1.0)).all():
        raise InputError("every score must be between 0 and 1: apply softmax or sigmoid to logits first")
    if not 0.0 <= shrinkage < float("inf"):
        raise InputError(f"shrinkage must be a number from 0 up, got {shrinkage}")
    shared = best_f1_threshold(wide.ravel(), truth.ravel())
    num_positives = {label: int(count) for label, count in zip(labels, truth.sum(axis=0), strict=True)}
    own = np.array(
        [_shrunk(wide[:, column], truth[:, column], shared, shrinkage) for column in range(len(labels))]
    )
    if _pooled_f1(wide >= own, truth) < _pooled_f1(wide >= shared, truth):
        own = np.full(len(labels), shared)
    return ThresholdFit(shared, dict(zip(labels, own.tolist(), strict=True)), num_positives)


def best_f1_threshold(scores: NDArray[np.floating], holds: NDArray[np.bool_]) -> float:
    """Return the threshold of greatest F1, half-way between the last score accepted and the next below it.

    Half-way, because new texts will not score exactly as these did. Among equal F1 the highest wins.

    Args:
        scores: shape (examples,).
        holds: shape (examples,): True where accepting would be right.

    Raises:
        InputError: nothing is True, so that no threshold is better than another.

    >>> best_f1_threshold(np.array([0.9, 0.7, 0.3]), np.array([True, True, False]))
    0.5
    """
    num_true = int(holds.sum())
    if num_true == 0:
        raise InputError("no label is true of any text: thresholds need at least one true label")
    order = np.argsort(-scores, kind="stable")
    falling = np.asarray(scores[order], dtype=np.float64)
    f1 = 2 * np.cumsum(holds[order]) / (np.arange(1, len(falling) + 1) + num_true)
    # Equal scores are accepted together, so only the last of them is a place to stop.
    is_stop = np.append(falling[:-1] != falling[1:], True)
    place = int(np.where(is_stop, f1, -1.0).argmax())
    accepted = float(falling[place])
    below = float(falling[place + 1]) if place + 1 < len(falling) else 0.0
    middle = (accepted + below) / 2
    # Between neighbouring floats there is no middle, and the rounded one would let the lower score in.
    return middle if below < middle else accepted


def _pooled_f1(accepted: NDArray[np.bool_], holds: NDArray[np.bool_]) -> float:
    return float(2 * (accepted & holds).sum() / (accepted.sum() + holds.sum()))


def _shrunk(scores: Floats, holds: NDArray[np.bool_], shared: float, shrinkage: float) -> float:
    num_true = int(holds.sum())
    if num_true == 0:
        return shared
    own = best_f1_threshold(scores, holds)
    return (num_true * own + shrinkage * shared) / (num_true + shrinkage)

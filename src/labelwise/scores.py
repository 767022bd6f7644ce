"""From logits to scores: stable, finite, with head roles given as column numbers."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import BackendError, InputError

__all__ = [
    "ScoreMode",
    "check_finite",
    "check_score_mode",
    "entailment_evidence",
    "entailment_margin",
    "log_odds",
    "sigmoid",
    "softmax",
]

Floats = NDArray[np.float64]

# "entail_logit" is what transformers' pipeline compares between labels; "entail_minus_rest" is the
# log-odds of entailment against all other classes, which also uses what a two-class head says against it.
ScoreMode = Literal["entail_logit", "entail_minus_rest"]


def check_score_mode(score_mode: str) -> None:
    """Refuse a score mode that does not exist."""
    if score_mode not in get_args(ScoreMode):
        raise InputError(f"score_mode {score_mode!r} is not one of {', '.join(get_args(ScoreMode))}")


def check_finite(logits: NDArray[np.floating], *, name: str) -> None:
    """Refuse NaN and infinity, which would order labels at random.

    Raises:
        BackendError: at least one number is not finite.
    """
    if not np.isfinite(logits).all():
        raise BackendError(
            f"{name} holds numbers that are not finite; load the model with dtype='float32', since half "
            "precision overflows in some families"
        )


def softmax(logits: NDArray[np.floating], *, axis: int = -1) -> Floats:
    """Return the softmax along an axis, shifted by the maximum so that nothing overflows."""
    wide = np.asarray(logits, dtype=np.float64)
    powers = np.exp(wide - wide.max(axis=axis, keepdims=True))
    return np.asarray(powers / powers.sum(axis=axis, keepdims=True))


def sigmoid(logits: NDArray[np.floating]) -> Floats:
    """Return the logistic function, in the form that overflows for neither sign."""
    wide = np.asarray(logits, dtype=np.float64)
    decay = np.exp(-np.abs(wide))
    return np.asarray(np.where(wide >= 0, 1.0, decay) / (1.0 + decay))


def log_odds(logits: NDArray[np.floating], *, column: int) -> Floats:
    """Return ``logit[column] - log sum exp(the other logits)`` along the last axis.

    ``sigmoid`` of it is the softmax probability of that column.
    """
    wide = np.asarray(logits, dtype=np.float64)
    rest = np.delete(wide, column, axis=-1)
    top = rest.max(axis=-1)
    return np.asarray(wide[..., column] - top - np.log(np.exp(rest - top[..., None]).sum(axis=-1)))


def entailment_evidence(logits: NDArray[np.floating], *, entailment: int, score_mode: ScoreMode) -> Floats:
    """Return what is compared between the labels of one text.

    Args:
        logits: shape (..., classes).
        entailment: the column of the entailment class.
        score_mode: see ``ScoreMode``.
    """
    if score_mode == "entail_logit":
        return np.asarray(logits[..., entailment], dtype=np.float64)
    return log_odds(logits, column=entailment)


def entailment_margin(
    logits: NDArray[np.floating], *, entailment: int, against: int, score_mode: ScoreMode
) -> Floats:
    """Return what decides whether one label holds by itself; ``sigmoid`` of it is the label's score.

    Args:
        logits: shape (..., classes).
        entailment: the column of the entailment class.
        against: the column of contradiction, or of not_entailment in a two-class head.
        score_mode: "entail_logit" leaves neutral out, as transformers does with ``multi_label=True``.
    """
    if score_mode == "entail_logit":
        wide = np.asarray(logits, dtype=np.float64)
        return np.asarray(wide[..., entailment] - wide[..., against])
    return log_odds(logits, column=entailment)

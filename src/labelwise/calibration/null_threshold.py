"""One number that makes a reader say "no answer" as often as it gains by it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import InputError

__all__ = ["fit_null_threshold"]


def fit_null_threshold(
    null_margins: NDArray[np.floating],
    f1: NDArray[np.floating],
    has_answer: NDArray[np.bool_],
    *,
    is_balanced: bool = False,
) -> float:
    """Return the null threshold of greatest F1, as the official SQuAD 2.0 measure counts it.

    A question is answered with its best span while "no answer" is ahead by no more than the threshold. A span
    gains its F1 where there is an answer, and loses the point of "no answer" where there is none. The
    threshold lies half-way to the margin of the first question that is left unanswered, because new questions
    will not score exactly as these did. Among equal F1 the lowest wins.

    Args:
        null_margins: shape (questions,): the null logit less the logit of the best span.
        f1: shape (questions,): F1 of the best span, from 0 to 1; not looked at where there is no answer.
        has_answer: shape (questions,): True where the context answers the question.
        is_balanced: both kinds of questions count as if there were equally many, as nearly in SQuAD 2.0.

    Raises:
        InputError: shapes differ, a number is out of range, all questions are of one kind, or no threshold
            does better than never to answer.

    >>> margins, f1 = np.array([-3.0, 1.0, 2.0]), np.array([1.0, 0.8, 0.0])
    >>> fit_null_threshold(margins, f1, np.array([True, True, False]))
    1.5
    """
    margins, shares = np.asarray(null_margins, dtype=np.float64), np.asarray(f1, dtype=np.float64)
    answerable = np.asarray(has_answer, dtype=bool)
    if margins.ndim != 1 or not margins.shape == shares.shape == answerable.shape:
        raise InputError(
            f"null_margins {margins.shape}, f1 {shares.shape} and has_answer {answerable.shape} must all be "
            "(questions,)"
        )
    if not np.isfinite(margins).all() or not ((shares >= 0.0) & (shares <= 1.0))[answerable].all():
        raise InputError("null_margins must be finite, and f1 from 0 to 1")
    num_answerable = int(answerable.sum())
    if not 0 < num_answerable < len(margins):
        raise InputError(
            f"{num_answerable} of {len(margins)} questions have an answer: give questions of both kinds"
        )
    gains = np.where(answerable, shares, -1.0)
    if is_balanced:
        gains = gains / np.where(answerable, num_answerable, len(margins) - num_answerable)
    order = np.argsort(margins, kind="stable")
    rising, gained = margins[order], np.cumsum(gains[order])
    # Equal margins are answered together, so only the last of them is a place to stop.
    is_stop = np.append(rising[:-1] != rising[1:], True)
    place = int(np.where(is_stop, gained, -np.inf).argmax())
    if gained[place] <= 0.0:
        raise InputError(
            "no null threshold does better than never to answer: these questions are too hard for the model"
        )
    answered = float(rising[place])
    return answered if place + 1 == len(rising) else _between(answered, float(rising[place + 1]))


def _between(low: float, high: float) -> float:
    middle = (low + high) / 2
    # Between neighbouring floats there is no middle, and the rounded one would let the higher margin in.
    return middle if middle < high else low

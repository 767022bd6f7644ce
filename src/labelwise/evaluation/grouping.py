"""From exploded (text, hypothesis) rows to one row of scores per text, with nothing left to chance.

A harness that cuts the rows into blocks of a fixed length slides from text to text as soon as one text has
more or fewer hypotheses than the block; the published banking77 figure suffers from that. Here each text
must have each hypothesis exactly once, or grouping stops.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import DataError
from labelwise.results import Classification

__all__ = ["PairGrid", "group_pairs", "label_scores"]


@dataclass(frozen=True, slots=True)
class PairGrid:
    """The scores of every text with every hypothesis.

    Attributes:
        text_ids: one per row, in order of first appearance.
        hypotheses: one per column, in order of first appearance.
        scores: shape (texts, hypotheses): the greater, the better it fits.
        holds: the same shape: True where the hypothesis is true of the text.
    """

    text_ids: tuple[Hashable, ...]
    hypotheses: tuple[str, ...]
    scores: NDArray[np.float64]
    holds: NDArray[np.bool_]

    def __post_init__(self) -> None:
        expected = (len(self.text_ids), len(self.hypotheses))
        if self.scores.shape != expected or self.holds.shape != expected:
            raise DataError(
                f"scores {self.scores.shape} and holds {self.holds.shape} must both be {expected}"
            )

    @property
    def has_gold(self) -> NDArray[np.bool_]:
        """Shape (texts,): False for a text without a true hypothesis, such as one of an excluded class."""
        return np.asarray(self.holds.any(axis=1))

    def accuracy(self, *, counts_texts_without_gold: bool) -> float:
        """Return the share of texts whose best hypothesis is true; the first wins among equal scores.

        Args:
            counts_texts_without_gold: True counts a text that no hypothesis fits as wrong, since the model
                had no way to be right; False leaves such texts out. Report both where they differ.

        Raises:
            DataError: no text is left to count.
        """
        best = self.scores.argmax(axis=1)
        is_right = self.holds[np.arange(len(best)), best]
        counted = is_right if counts_texts_without_gold else is_right[self.has_gold]
        if not len(counted):
            raise DataError("no text has a true hypothesis: check the labels of the rows")
        return float(counted.mean())


def group_pairs(
    text_ids: Sequence[Hashable],
    hypotheses: Sequence[str],
    scores: NDArray[np.floating],
    holds: NDArray[np.bool_],
) -> PairGrid:
    """Group rows of (text, hypothesis) by text; the rows may come in any order.

    Args:
        text_ids: which text each row is about. The text itself will do where no text occurs twice.
        hypotheses: the hypothesis of each row.
        scores: shape (rows,): its score.
        holds: shape (rows,): whether it is true of the text.

    Raises:
        DataError: lengths differ, a score is NaN, or a text lacks a hypothesis or has it twice.

    >>> grid = group_pairs([1, 1, 2, 2], ["x", "y", "y", "x"], np.array([0.9, 0.1, 0.8, 0.2]),
    ...                    np.array([True, False, True, False]))
    >>> grid.scores.tolist()
    [[0.9, 0.1], [0.2, 0.8]]
    """
    lengths = (len(text_ids), len(hypotheses), len(scores), len(holds))
    if len(set(lengths)) != 1 or lengths[0] == 0:
        raise DataError(
            f"text ids, hypotheses, scores and holds must be as many and at least one, got {lengths}"
        )
    if np.isnan(scores).any():
        raise DataError(
            f"the score of row {int(np.isnan(scores).argmax()) + 1} is NaN, which cannot be ordered"
        )
    row_of = {text_id: place for place, text_id in enumerate(dict.fromkeys(text_ids))}
    column_of = {hypothesis: place for place, hypothesis in enumerate(dict.fromkeys(hypotheses))}
    rows = np.array([row_of[text_id] for text_id in text_ids])
    columns = np.array([column_of[hypothesis] for hypothesis in hypotheses])
    times = np.zeros((len(row_of), len(column_of)), dtype=np.int64)
    np.add.at(times, (rows, columns), 1)
    _check_complete(times, tuple(row_of), tuple(column_of))
    grid_scores = np.empty(times.shape, dtype=np.float64)
    grid_holds = np.empty(times.shape, dtype=bool)
    grid_scores[rows, columns] = scores
    grid_holds[rows, columns] = holds
    return PairGrid(tuple(row_of), tuple(column_of), grid_scores, grid_holds)


def _check_complete(
    times: NDArray[np.int64], text_ids: Sequence[Hashable], hypotheses: Sequence[str]
) -> None:
    wrong = np.argwhere(times != 1)
    if len(wrong):
        row, column = wrong[0]
        raise DataError(
            f"text {text_ids[row]!r} has hypothesis {hypotheses[column]!r} {times[row, column]} times, it "
            f"must be once for each of the {len(hypotheses)} hypotheses: score each text with all of them"
        )


def label_scores(
    results: Sequence[Classification], labels: Sequence[str], *, num_texts: int
) -> NDArray[np.float64]:
    """Lay a model's scores out, shape (texts, labels); every text must have every label exactly once.

    Raises:
        DataError: a result or a label is missing.
    """
    if len(results) != num_texts:
        raise DataError(f"the model gave {len(results)} results for {num_texts} texts")
    scores = np.empty((num_texts, len(labels)))
    for row, result in enumerate(results):
        found = {entry.label: entry.score for entry in result.labels}
        if found.keys() != set(labels) or len(result.labels) != len(labels):
            raise DataError(
                f"the model scored {len(result.labels)} labels for text {row + 1}, it must be each of the "
                f"{len(labels)} once"
            )
        scores[row] = [found[label] for label in labels]
    return scores

"""What one evaluation found: the measures, the speed, and what a report draws from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelwise.evaluation.classification import LabelMeasures, SingleLabelReport
from labelwise.evaluation.reliability import ReliabilityReport
from labelwise.evaluation.thresholds import ThresholdCurve

__all__ = ["ConfusionTable", "Evaluation", "HistogramBin", "curve_points", "length_histogram"]

MOST_CONFUSION_LABELS = 40
"""More labels than that make a confusion matrix that nobody reads."""

_MOST_CURVE_POINTS = 101
_HISTOGRAM_BINS = 20


@dataclass(frozen=True, slots=True)
class ConfusionTable:
    """A confusion matrix small enough to be read.

    Attributes:
        labels: the labels by name; beyond 40 the rarest are put together under the last name.
        counts: shape (labels, labels): texts by gold label (row) and predicted label (column).
    """

    labels: tuple[str, ...]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, report: SingleLabelReport, *, most_labels: int = MOST_CONFUSION_LABELS) -> ConfusionTable:
        """Take the matrix of a report, keeping its most frequent labels and the sum of every cell."""
        names = tuple(entry.label for entry in report.per_label)
        if len(names) <= most_labels:
            return cls(names, report.confusion)
        by_support = sorted(range(len(names)), key=lambda place: -report.per_label[place].support)
        kept = sorted(by_support[: most_labels - 1])
        target_of = np.full(len(names), len(kept))
        target_of[kept] = np.arange(len(kept))
        counts = np.zeros((most_labels, most_labels), dtype=np.int64)
        np.add.at(counts, (target_of[:, None], target_of[None, :]), report.confusion)
        return cls((*(names[place] for place in kept), f"{len(names) - len(kept)} other labels"), counts)

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"labels", "counts"}`` as plain lists."""
        return {"labels": list(self.labels), "counts": self.counts.tolist()}


@dataclass(frozen=True, slots=True)
class HistogramBin:
    """How many texts have at least ``lower`` and fewer than ``upper`` characters."""

    lower: int
    upper: int
    count: int

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return {"lower": self.lower, "upper": self.upper, "count": self.count}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured on one data set.

    Attributes:
        measures: name -> number, the main one first.
        num_rows: texts, pairs, queries or questions.
        seconds: wall-clock time of the model, reading and measuring left out.
        num_pairs: (text, label) or (query, candidate) pairs that were scored; None where each row is one.
        per_label: how each label did.
        confusion: gold against predicted, where one label is chosen per row.
        reliability: the calibration report: of the best label, of each candidate's relevance, or of whether
            there is an answer.
        curve: precision, recall and F1 by threshold, of the same scores.
        lengths: the lengths of the texts in characters, as bins.
        precision_recall: (recall, precision) of answers by F1 as more questions are answered, surest first.
    """

    measures: Mapping[str, float]
    num_rows: int
    seconds: float
    num_pairs: int | None = None
    per_label: Sequence[LabelMeasures] = field(default=(), repr=False)
    confusion: ConfusionTable | None = field(default=None, repr=False)
    reliability: ReliabilityReport | None = field(default=None, repr=False)
    curve: ThresholdCurve | None = field(default=None, repr=False)
    lengths: Sequence[HistogramBin] = field(default=(), repr=False)
    precision_recall: Sequence[tuple[float, float]] = field(default=(), repr=False)

    @property
    def texts_per_s(self) -> float:
        """Texts (or pairs, queries, questions) per second: rows of the data set, not rows for the model."""
        return self.num_rows / max(self.seconds, 1e-9)

    @property
    def pairs_per_s(self) -> float:
        """(text, label) pairs per second: what the published tables call texts per second."""
        num_pairs = self.num_rows if self.num_pairs is None else self.num_pairs
        return num_pairs / max(self.seconds, 1e-9)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, strings, lists and mappings, ready for JSON.

        The measures come first, then ``rows``, ``seconds``, ``texts_per_s``, ``pairs_per_s``, then what a
        report draws from, as far as there is any: ``per_class``, ``confusion``, ``reliability_bins``,
        ``threshold_curve``, ``length_histogram`` and ``precision_recall_curve``.
        """
        drawn: dict[str, Any] = {
            "per_class": [entry.to_dict() for entry in self.per_label],
            "confusion": self.confusion and self.confusion.to_dict(),
            "reliability_bins": [entry.to_dict() for entry in self.reliability.table]
            if self.reliability
            else [],
            "threshold_curve": curve_points(self.curve) if self.curve else [],
            "length_histogram": [entry.to_dict() for entry in self.lengths],
            "precision_recall_curve": [
                {"recall": recall, "precision": precision}
                for recall, precision in _thinned(self.precision_recall)
            ],
        }
        return {
            **self.measures,
            "rows": self.num_rows,
            "seconds": self.seconds,
            "texts_per_s": self.texts_per_s,
            "pairs_per_s": self.pairs_per_s,
            **{name: value for name, value in drawn.items() if value},
        }


def length_histogram(texts: Sequence[str]) -> tuple[HistogramBin, ...]:
    """Sort texts by their number of characters into at most 20 bins of equal width.

    >>> [(one.lower, one.upper, one.count) for one in length_histogram(["a", "bb", "bb"])]
    [(1, 2, 1), (2, 3, 2)]
    """
    lengths = np.array([len(text) for text in texts])
    span = int(lengths.max() - lengths.min()) + 1
    width = -(-span // _HISTOGRAM_BINS)
    first = int(lengths.min())
    counts = np.bincount((lengths - first) // width)
    return tuple(
        HistogramBin(first + place * width, first + (place + 1) * width, int(count))
        for place, count in enumerate(counts)
    )


def curve_points(curve: ThresholdCurve) -> list[dict[str, float]]:
    """Return at most 101 points of a curve, spread over its thresholds, both ends and the best among them."""
    last = len(curve.thresholds) - 1
    places = {round(step * last / (_MOST_CURVE_POINTS - 2)) for step in range(_MOST_CURVE_POINTS - 1)}
    best = int(np.searchsorted(curve.thresholds, curve.best.threshold))
    return [curve.at(place).to_dict() for place in sorted(places | {best})]


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Keep at most 101 points, spread over the curve, both ends among them."""
    last = len(points) - 1
    places = {round(step * last / (_MOST_CURVE_POINTS - 1)) for step in range(_MOST_CURVE_POINTS)}
    return [points[place] for place in sorted(places)] if points else []

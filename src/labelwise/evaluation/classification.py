"""Accuracy, precision, recall and F1 of predicted labels, one label per text or several.

The numbers are those of scikit-learn with ``zero_division=0``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import InputError

__all__ = [
    "Averages",
    "LabelMeasures",
    "MultiLabelReport",
    "SingleLabelReport",
    "evaluate_multi_label",
    "evaluate_single_label",
]

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LabelMeasures:
    """How one label did; ``support`` is the number of texts that truly have it, ``predicted`` that got it."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int
    predicted: int

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return {
            "label": self.label,
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "support": self.support,
            "predicted": self.predicted,
        }


@dataclass(frozen=True, slots=True)
class Averages:
    """Precision, recall and F1 over all labels: the mean (macro) or from the pooled counts (micro)."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class SingleLabelReport:
    """Measures of one predicted label per text.

    Attributes:
        accuracy: share of texts whose label is right; an abstention is never right.
        balanced_accuracy: mean recall of the labels that some text truly has.
        macro: mean over the labels that occur as gold or as prediction.
        micro: from pooled counts; equal to accuracy unless the model abstains.
        per_label: one entry per label, in the order given.
        confusion: shape (labels, labels): texts by gold label (row) and predicted label (column).
        num_texts: texts scored.
        num_abstained: texts for which the model named no label; they are in no column of ``confusion``.
    """

    accuracy: float
    balanced_accuracy: float
    macro: Averages
    micro: Averages
    per_label: tuple[LabelMeasures, ...]
    confusion: Counts
    num_texts: int
    num_abstained: int

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain numbers, lists and strings, ready for JSON."""
        return {
            "accuracy": self.accuracy,
            "balanced_accuracy": self.balanced_accuracy,
            **_flat("macro", self.macro),
            **_flat("micro", self.micro),
            "num_texts": self.num_texts,
            "num_abstained": self.num_abstained,
            "per_label": [label.to_dict() for label in self.per_label],
            "confusion": self.confusion.tolist(),
        }


@dataclass(frozen=True, slots=True)
class MultiLabelReport:
    """Measures of any number of predicted labels per text.

    Attributes:
        exact_match: share of texts whose labels are all right and complete (scikit-learn's accuracy).
        hamming_accuracy: share of all (text, label) decisions that are right.
        macro: mean over all labels, also those that no text has.
        micro: from pooled counts.
        per_label: one entry per label, in the order given.
        confusion: shape (labels, 2, 2): for each label ``[[true neg, false pos], [false neg, true pos]]``.
        num_texts: texts scored.
    """

    exact_match: float
    hamming_accuracy: float
    macro: Averages
    micro: Averages
    per_label: tuple[LabelMeasures, ...]
    confusion: Counts
    num_texts: int

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain numbers, lists and strings, ready for JSON."""
        return {
            "exact_match": self.exact_match,
            "hamming_accuracy": self.hamming_accuracy,
            **_flat("macro", self.macro),
            **_flat("micro", self.micro),
            "num_texts": self.num_texts,
            "per_label": [label.to_dict() for label in self.per_label],
            "confusion": self.confusion.tolist(),
        }


def evaluate_single_label(
    gold: Sequence[str], predicted: Sequence[str | None], *, labels: Sequence[str]
) -> SingleLabelReport:
    """Compare one gold label per text with one predicted label, or None where the model abstained.

    Args:
        gold: the true label of each text.
        predicted: the predicted label of each text, in the same order.
        labels: every label that may occur; fixes the order of the table and of the confusion matrix.

    Raises:
        InputError: there are no texts, lengths differ, or a label is not in ``labels``.

    >>> evaluate_single_label(["a", "b"], ["a", "a"], labels=["a", "b"]).accuracy
    0.5
    """
    _check_lengths(len(gold), len(predicted))
    place_of = _places(labels)
    rows = np.array([_place(label, place_of, "gold") for label in gold], dtype=np.int64)
    columns = np.array(
        [-1 if label is None else _place(label, place_of, "predicted") for label in predicted], dtype=np.int64
    )
    has_label = columns >= 0
    confusion = np.zeros((len(labels), len(labels)), dtype=np.int64)
    np.add.at(confusion, (rows[has_label], columns[has_label]), 1)
    hits = confusion.diagonal()
    given = confusion.sum(axis=0)
    support = np.bincount(rows, minlength=len(labels))
    per_label = _per_label(labels, hits, given, support)
    return SingleLabelReport(
        accuracy=float(hits.sum() / len(rows)),
        balanced_accuracy=float((hits[support > 0] / support[support > 0]).mean()),
        macro=_macro([entry for entry in per_label if entry.support or entry.predicted]),
        micro=_measures(int(hits.sum()), int(given.sum()), int(support.sum())),
        per_label=per_label,
        confusion=confusion,
        num_texts=len(rows),
        num_abstained=int((~has_label).sum()),
    )


def evaluate_multi_label(
    gold: NDArray[np.bool_], predicted: NDArray[np.bool_], *, labels: Sequence[str]
) -> MultiLabelReport:
    """Compare the labels that are true of each text with those that were accepted.

    Args:
        gold: shape (texts, labels): True where the label holds.
        predicted: the same shape: True where the model accepted the label.
        labels: the names of the columns.

    Raises:
        InputError: there are no texts, or the shapes do not fit each other and the labels.
    """
    _places(labels)
    if gold.shape != predicted.shape or gold.ndim != 2 or gold.shape[1] != len(labels):
        raise InputError(
            f"gold {gold.shape} and predicted {predicted.shape} must both be (texts, {len(labels)} labels)"
        )
    _check_lengths(len(gold), len(predicted))
    truth, given = np.asarray(gold, dtype=bool), np.asarray(predicted, dtype=bool)
    hits = (truth & given).sum(axis=0)
    false_alarms = (~truth & given).sum(axis=0)
    misses = (truth & ~given).sum(axis=0)
    right_no = len(truth) - hits - false_alarms - misses
    per_label = _per_label(labels, hits, hits + false_alarms, hits + misses)
    return MultiLabelReport(
        exact_match=float((truth == given).all(axis=1).mean()),
        hamming_accuracy=float((truth == given).mean()),
        macro=_macro(per_label),
        micro=_measures(int(hits.sum()), int(given.sum()), int(truth.sum())),
        per_label=per_label,
        confusion=np.stack([right_no, false_alarms, misses, hits], axis=-1)
        .reshape(-1, 2, 2)
        .astype(np.int64),
        num_texts=len(truth),
    )


def _check_lengths(num_gold: int, num_predicted: int) -> None:
    if num_gold != num_predicted:
        raise InputError(f"{num_gold} gold labels and {num_predicted} predictions: give one of each per text")
    if num_gold == 0:
        raise InputError("there are no texts to score: give at least one")


def _places(labels: Sequence[str]) -> dict[str, int]:
    place_of = {label: place for place, label in enumerate(labels)}
    if not labels or len(place_of) != len(labels):
        raise InputError(f"labels must be at least one name, each once, got {list(labels)[:10]!r}")
    return place_of


def _place(label: str, place_of: dict[str, int], role: str) -> int:
    if label not in place_of:
        raise InputError(f"{role} label {label!r} is not one of the {len(place_of)} labels: add it to them")
    return place_of[label]


def _per_label(
    labels: Sequence[str], hits: Counts, predicted: Counts, support: Counts
) -> tuple[LabelMeasures, ...]:
    entries = []
    for label, num_hits, num_predicted, num_true in zip(
        labels, hits.tolist(), predicted.tolist(), support.tolist(), strict=True
    ):
        found = _measures(num_hits, num_predicted, num_true)
        entries.append(LabelMeasures(label, found.precision, found.recall, found.f1, num_true, num_predicted))
    return tuple(entries)


def _measures(num_hits: int, num_predicted: int, num_true: int) -> Averages:
    return Averages(
        precision=num_hits / num_predicted if num_predicted else 0.0,
        recall=num_hits / num_true if num_true else 0.0,
        f1=2 * num_hits / (num_predicted + num_true) if num_predicted + num_true else 0.0,
    )


def _macro(entries: Sequence[LabelMeasures]) -> Averages:
    return Averages(
        precision=float(np.mean([entry.precision for entry in entries])),
        recall=float(np.mean([entry.recall for entry in entries])),
        f1=float(np.mean([entry.f1 for entry in entries])),
    )


def _flat(name: str, averages: Averages) -> dict[str, float]:
    return {
        f"{name}_precision": averages.precision,
        f"{name}_recall": averages.recall,
        f"{name}_f1": averages.f1,
    }

"""How a joint model did on a validation set: decisions, ranking and calibration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelwise.evaluation.classification import evaluate_multi_label
from labelwise.evaluation.ranking import evaluate_ranking
from labelwise.evaluation.reliability import evaluate_reliability
from labelwise.models.losses import IGNORED
from labelwise.scores import sigmoid
from labelwise.synthesis.rows import label_key

__all__ = ["LabelMetrics", "measure_labels"]

ACCEPTED_ABOVE = 0.5


class LabelMetrics:
    """The Trainer's ``compute_metrics`` for a validation set whose labels are known by name."""

    def __init__(self, labels: Sequence[Sequence[str]]) -> None:
        self._labels = labels

    def __call__(self, prediction: Any) -> dict[str, float]:
        """Measure a Trainer prediction: logits and targets of shape (texts, most labels)."""
        return measure_labels(
            np.asarray(prediction.predictions, dtype=np.float64),
            np.asarray(prediction.label_ids),
            labels=self._labels,
        )


def measure_labels(
    logits: NDArray[np.float64], targets: NDArray[np.int64], *, labels: Sequence[Sequence[str]]
) -> dict[str, float]:
    """Return accuracy, micro and macro F1 at probability 0.5, MRR, Hit@k, NDCG@k, ECE and Brier score.

    Accuracy and micro F1 are over all (text, label) decisions, macro F1 is the mean over distinct labels
    that are true of some text.

    Args:
        logits: [texts, most labels]; what stands where ``targets`` is -100 is not read.
        targets: the same shape with 0, 1 or -100.
        labels: names of each text's labels.
    """
    known = targets != IGNORED
    truth, probabilities = targets[known] == 1, sigmoid(logits[known])
    accepted = probabilities > ACCEPTED_ABOVE
    names = [label_key(label) for row in labels for label in row]
    distinct, gold, given = _by_label(names, truth, accepted)
    decisions = evaluate_multi_label(gold, given, labels=distinct)
    f1_of_true = [entry.f1 for entry in decisions.per_label if entry.support]
    pairs = [(row[mask], goal[mask]) for row, goal, mask in zip(logits, targets, known, strict=True)]
    ranking: dict[str, float] = {}
    if truth.any():
        report = evaluate_ranking([row for row, _ in pairs], [goal for _, goal in pairs], ks=(1, 3, 5))
        ranking = {name: value for name, value in report.to_dict().items() if "queries" not in name}
    reliability = evaluate_reliability(probabilities, truth)
    return {
        "accuracy": float((accepted == truth).mean()),
        "micro_f1": decisions.micro.f1,
        "macro_f1": float(np.mean(f1_of_true)) if f1_of_true else 0.0,
        **ranking,
        "ece": reliability.ece,
        "brier": reliability.brier,
        "share_true": float(truth.mean()),
    }


def _by_label(
    names: Sequence[str], truth: NDArray[np.bool_], accepted: NDArray[np.bool_]
) -> tuple[list[str], NDArray[np.bool_], NDArray[np.bool_]]:
    """Lay decisions out with one column per distinct label, the n-th decision on a label in row n.

    A table of all texts by all labels would not fit in memory; absent entries count in no F1.
    """
    place_of: dict[str, int] = {}
    num_seen: list[int] = []
    rows, columns = [], []
    for name in names:
        column = place_of.setdefault(name, len(place_of))
        if column == len(num_seen):
            num_seen.append(0)
        rows.append(num_seen[column])
        columns.append(column)
        num_seen[column] += 1
    gold = np.zeros((max(num_seen), len(place_of)), dtype=bool)
    given = np.zeros_like(gold)
    gold[rows, columns], given[rows, columns] = truth, accepted
    return list(place_of), gold, given

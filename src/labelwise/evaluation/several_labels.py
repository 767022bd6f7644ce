"""Run a model over texts that any number of labels may be true of, and measure it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import DataError, InputError
from labelwise.evaluation.classification import evaluate_multi_label
from labelwise.evaluation.grouping import label_scores
from labelwise.evaluation.outcome import Evaluation, length_histogram
from labelwise.evaluation.reliability import evaluate_reliability
from labelwise.evaluation.thresholds import threshold_curve
from labelwise.evaluation.zero_shot import Classifier

__all__ = ["evaluate_several_labels", "label_ranking_average_precision"]


def evaluate_several_labels(
    model: Classifier,
    texts: Sequence[str],
    gold: Sequence[Sequence[str]],
    *,
    labels: Sequence[str] | Mapping[str, str],
    excluded: Sequence[str] = (),
    **settings: Any,
) -> Evaluation:
    """Measure multi-label classification: which labels were accepted against those that are true.

    The main measures judge the model's decision, by the threshold that its settings or ``settings`` say;
    ``lrap``, the calibration error and the threshold curve judge its scores, whatever the threshold.

    Args:
        model: anything that classifies with ``multi_label``.
        texts: the texts.
        gold: the true labels of each text, each among ``labels`` or ``excluded``; none may be true.
        labels: the closed set, scored for every text: names, or name -> description or hypothesis.
        excluded: gold labels that nothing is scored for; they are as good as not there.
        settings: passed on to ``classify`` (threshold, template, ...).

    Raises:
        DataError: a gold label is in neither set, there are no texts, or the model left out a label.
    """
    if not texts or len(texts) != len(gold):
        raise DataError(f"{len(texts)} texts have labels for {len(gold)}: give at least one, and all of each")
    wording = dict(labels) if isinstance(labels, Mapping) else {label: label for label in labels}
    holds = _holds(gold, list(wording), excluded)
    began = time.perf_counter()
    results = model.classify(texts, wording, multi_label=True, **settings)
    seconds = time.perf_counter() - began
    scores = label_scores(results, list(wording), num_texts=len(texts))
    named = [{entry.label for entry in result.accepted} for result in results]
    accepted = np.array([[label in names for label in wording] for names in named])
    report = evaluate_multi_label(holds, accepted, labels=list(wording))
    reliability = evaluate_reliability(scores, holds)
    curve = threshold_curve(scores, holds)
    measures = {
        "micro_f1": report.micro.f1,
        "micro_precision": report.micro.precision,
        "micro_recall": report.micro.recall,
        "macro_f1": report.macro.f1,
        "exact_match": report.exact_match,
        "lrap": label_ranking_average_precision(scores, holds),
        "labels_true": float(holds.sum(axis=1).mean()),
        "labels_accepted": float(accepted.sum(axis=1).mean()),
        "ece": reliability.ece,
        "brier": reliability.brier,
        "best_micro_f1": curve.best.f1,
        "best_threshold": curve.best.threshold,
    }
    return Evaluation(
        measures,
        num_rows=len(texts),
        seconds=seconds,
        num_pairs=scores.size,
        per_label=report.per_label,
        reliability=reliability,
        curve=curve,
        lengths=length_histogram(texts),
    )


def label_ranking_average_precision(scores: NDArray[np.floating], holds: NDArray[np.bool_]) -> float:
    """Return how many of the labels that rank as high as a true one are true, on average: 1 is best.

    The number is that of scikit-learn: among equal scores the last place counts, and a text that no label or
    every label is true of counts as 1.

    Args:
        scores: shape (texts, labels).
        holds: the same shape: True where the label is true.

    Raises:
        InputError: the shapes differ, or there is no text.

    >>> label_ranking_average_precision(np.array([[0.9, 0.2, 0.5]]), np.array([[True, True, False]]))
    0.8333333333333333
    """
    if scores.shape != holds.shape or scores.ndim != 2 or not scores.size:
        raise InputError(f"scores {scores.shape} and holds {holds.shape} must both be (texts, labels)")
    precisions = []
    for row, truth in zip(scores, holds, strict=True):
        if truth.all() or not truth.any():
            precisions.append(1.0)
            continue
        is_as_high = row[None, :] >= row[truth][:, None]
        precisions.append(float(((is_as_high & truth).sum(axis=1) / is_as_high.sum(axis=1)).mean()))
    return float(np.mean(precisions))


def _holds(
    gold: Sequence[Sequence[str]], labels: Sequence[str], excluded: Sequence[str]
) -> NDArray[np.bool_]:
    place_of = {label: place for place, label in enumerate(labels)}
    holds = np.zeros((len(gold), len(labels)), dtype=bool)
    for row, names in enumerate(gold):
        for label in names:
            if label in place_of:
                holds[row, place_of[label]] = True
            elif label not in excluded:
                raise DataError(
                    f"gold label {label!r} is not one of the {len(labels)} labels; check the labels"
                )
    return holds

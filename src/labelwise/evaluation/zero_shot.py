"""Run a model over labelled rows and measure it: classification, entailment and question answering."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from labelwise.errors import DataError
from labelwise.evaluation.classification import SingleLabelReport, evaluate_single_label
from labelwise.evaluation.reliability import ReliabilityReport, evaluate_reliability
from labelwise.evaluation.squad import evaluate_squad
from labelwise.evaluation.squad_file import SquadQuestion
from labelwise.results import Answer, Classification, Entailment

__all__ = [
    "Evaluation",
    "evaluate_answers",
    "evaluate_classification",
    "evaluate_entailment",
]


class Classifier(Protocol):
    """What is measured by ``evaluate_classification``: a labelwise model, or a peer in its shape."""

    def classify(
        self, texts: Sequence[str], /, labels: Sequence[str], **settings: Any
    ) -> Sequence[Classification]:
        """Return one result per text, in order."""
        ...


class Entailer(Protocol):
    """What is measured by ``evaluate_entailment``."""

    def entail(self, *, pairs: Sequence[tuple[str, str]], **settings: Any) -> Sequence[Entailment]:
        """Return one result per pair, in order."""
        ...


class Reader(Protocol):
    """What is measured by ``evaluate_answers``."""

    def answer(self, *, pairs: Sequence[tuple[str, str]], **settings: Any) -> Sequence[Answer]:
        """Return one answer per pair, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured on one data set.

    Attributes:
        measures: name -> number, accuracy first.
        num_rows: texts, pairs or questions.
        seconds: wall-clock time of the model, reading and measuring left out.
        rows_per_s: rows divided by seconds.
        pairs_per_s: (text, label) pairs divided by seconds; equal to rows_per_s where there are no labels.
        report: the classification report, where there is one.
        reliability: the calibration report, where there is one.
    """

    measures: Mapping[str, float]
    num_rows: int
    seconds: float
    pairs_per_row: int = 1
    report: SingleLabelReport | None = field(default=None, repr=False)
    reliability: ReliabilityReport | None = field(default=None, repr=False)

    @property
    def rows_per_s(self) -> float:
        """Rows per second."""
        return self.num_rows / self.seconds

    @property
    def pairs_per_s(self) -> float:
        """(text, label) pairs per second: what the published tables call texts per second."""
        return self.rows_per_s * self.pairs_per_row

    def to_dict(self) -> dict[str, Any]:
        """Return the measures, then the counts and speeds."""
        return {
            **self.measures,
            "rows": self.num_rows,
            "rows_per_s": self.rows_per_s,
            "pairs_per_s": self.pairs_per_s,
        }


def evaluate_classification(
    model: Classifier, texts: Sequence[str], gold: Sequence[str], *, labels: Sequence[str], **settings: Any
) -> Evaluation:
    """Measure single-label classification: the best of ``labels`` against the gold label of each text.

    Args:
        model: anything that classifies.
        texts: the texts.
        gold: one label per text, each among ``labels``.
        labels: the closed set, scored for every text.
        settings: passed on to ``classify`` (template, score mode, ...).

    Raises:
        DataError: a gold label is not among the labels, or there are no texts.
    """
    _check_rows(texts, gold)
    place_of = {label: place for place, label in enumerate(labels)}
    unknown = next((label for label in gold if label not in place_of), None)
    if unknown is not None:
        raise DataError(f"gold label {unknown!r} is not one of the {len(labels)} labels; check --labels")
    began = time.perf_counter()
    results = model.classify(texts, list(labels), **settings)
    seconds = time.perf_counter() - began
    # The best label even where a threshold was not reached: accuracy is about the order of the labels.
    predicted = [result.labels[0].label for result in results]
    report = evaluate_single_label(gold, predicted, labels=labels)
    scores = np.zeros((len(results), len(labels)))
    for row, result in enumerate(results):
        for label in result.labels:
            scores[row, place_of[label.label]] = label.score
    reliability = evaluate_reliability(scores, np.array([place_of[label] for label in gold]))
    measures = {
        "accuracy": report.accuracy,
        "balanced_accuracy": report.balanced_accuracy,
        "macro_f1": report.macro.f1,
        "ece": reliability.ece,
        "brier": reliability.brier,
    }
    return Evaluation(measures, len(texts), seconds, len(labels), report, reliability)


def evaluate_entailment(
    model: Entailer, pairs: Sequence[tuple[str, str]], gold: Sequence[str], **settings: Any
) -> Evaluation:
    """Measure entailment against gold labels of three classes or two.

    Where a gold label is "not_entailment", neutral and contradiction both count as that.

    Args:
        model: anything that judges pairs.
        pairs: (premise, hypothesis).
        gold: "entailment", "neutral", "contradiction" or "not_entailment", one per pair.
        settings: passed on to ``entail``.

    Raises:
        DataError: a gold label has another name, or there are no pairs.
    """
    _check_rows(pairs, gold)
    known = ("entailment", "neutral", "contradiction", "not_entailment")
    unknown = next((label for label in gold if label not in known), None)
    if unknown is not None:
        raise DataError(f"gold label {unknown!r} is not one of {', '.join(known)}")
    began = time.perf_counter()
    results = model.entail(pairs=pairs, **settings)
    seconds = time.perf_counter() - began
    is_binary = "not_entailment" in gold or any(result.neutral is None for result in results)
    classes = ("entailment", "not_entailment") if is_binary else known[:3]
    probabilities = np.array([_class_scores(result, is_binary=is_binary) for result in results])
    targets = [_as_class(label, is_binary=is_binary) for label in gold]
    predicted = [classes[place] for place in probabilities.argmax(axis=1)]
    report = evaluate_single_label(targets, predicted, labels=classes)
    reliability = evaluate_reliability(probabilities, np.array([classes.index(label) for label in targets]))
    measures = {
        "accuracy": report.accuracy,
        "macro_f1": report.macro.f1,
        "ece": reliability.ece,
        "brier": reliability.brier,
    }
    return Evaluation(measures, len(pairs), seconds, 1, report, reliability)


def evaluate_answers(model: Reader, questions: Sequence[SquadQuestion], **settings: Any) -> Evaluation:
    """Measure question answering by the official SQuAD 2.0 rules.

    Args:
        model: anything that answers.
        questions: as read by ``read_squad``.
        settings: passed on to ``answer``.
    """
    _check_rows(questions, questions)
    began = time.perf_counter()
    answers = model.answer(
        pairs=[(question.question, question.context) for question in questions], **settings
    )
    seconds = time.perf_counter() - began
    found = zip(questions, answers, strict=True)
    predictions = {question.id: answer.text for question, answer in found}
    na_probs = {question.id: answer.null_score for question, answer in zip(questions, answers, strict=True)}
    report = evaluate_squad(questions, predictions, na_probs=na_probs)
    return Evaluation(dict(report.measures), len(questions), seconds)


def _check_rows(rows: Sequence[object], gold: Sequence[object]) -> None:
    if not rows:
        raise DataError("there is nothing to evaluate: no rows were read")
    if len(rows) != len(gold):
        raise DataError(f"{len(rows)} rows have {len(gold)} gold labels; each row needs one")


def _class_scores(result: Entailment, *, is_binary: bool) -> list[float]:
    if is_binary:
        return [result.entailment, 1.0 - result.entailment]
    return [result.entailment, result.neutral or 0.0, result.contradiction or 0.0]


def _as_class(label: str, *, is_binary: bool) -> str:
    return label if label == "entailment" or not is_binary else "not_entailment"

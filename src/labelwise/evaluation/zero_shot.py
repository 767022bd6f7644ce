"""Run a model over labelled rows and measure it: classification, entailment, ranking, question answering."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import DataError
from labelwise.evaluation.classification import SingleLabelReport, evaluate_single_label
from labelwise.evaluation.grouping import PairGrid, label_scores
from labelwise.evaluation.outcome import ConfusionTable, Evaluation, length_histogram
from labelwise.evaluation.ranking import RankingQuery, evaluate_ranking
from labelwise.evaluation.reliability import ReliabilityReport, evaluate_reliability, top_label_outcomes
from labelwise.evaluation.squad import evaluate_squad
from labelwise.evaluation.squad_file import SquadQuestion
from labelwise.evaluation.thresholds import threshold_curve
from labelwise.results import Answer, Classification, Entailment, RankedCandidate

__all__ = [
    "Classifier",
    "Entailer",
    "Evaluation",
    "Ranker",
    "Reader",
    "evaluate_answers",
    "evaluate_classification",
    "evaluate_entailment",
    "evaluate_rankings",
]

NLI_LABELS = ("entailment", "neutral", "contradiction", "not_entailment")


class Classifier(Protocol):
    """What is measured by ``evaluate_classification``: a labelwise model, or a peer in its shape."""

    def classify(
        self, texts: Sequence[str], /, labels: Mapping[str, str], **settings: Any
    ) -> Sequence[Classification]:
        """Return one result per text, in order, with every label's score; labels are name -> what is read."""
        ...


class Entailer(Protocol):
    """What is measured by ``evaluate_entailment``."""

    def entail(self, *, pairs: Sequence[tuple[str, str]], **settings: Any) -> Sequence[Entailment]:
        """Return one result per pair, in order."""
        ...


class Ranker(Protocol):
    """What is measured by ``evaluate_rankings``."""

    def rank(self, query: str, candidates: Sequence[str], **settings: Any) -> Sequence[RankedCandidate]:
        """Return every candidate, best first."""
        ...


class Reader(Protocol):
    """What is measured by ``evaluate_answers``."""

    def answer(self, *, pairs: Sequence[tuple[str, str]], **settings: Any) -> Sequence[Answer]:
        """Return one answer per pair, in order."""
        ...


def evaluate_classification(
    model: Classifier,
    texts: Sequence[str],
    gold: Sequence[str],
    *,
    labels: Sequence[str] | Mapping[str, str],
    excluded: Sequence[str] = (),
    **settings: Any,
) -> Evaluation:
    """Measure single-label classification: the best of ``labels`` against the gold label of each text.

    Args:
        model: anything that classifies.
        texts: the texts.
        gold: one label per text, each among ``labels`` or ``excluded``.
        labels: the closed set, scored for every text: names, or name -> description or hypothesis.
        excluded: gold labels that nothing is scored for, so that their texts cannot be right. All measures
            leave those texts out; "accuracy_all_texts" counts them as wrong, as published tables do.
        settings: passed on to ``classify`` (template, score mode, ...).

    Raises:
        DataError: a gold label is in neither set, there are no texts, or the model left out a label.
    """
    _check_rows(texts, gold)
    wording = dict(labels) if isinstance(labels, Mapping) else {label: label for label in labels}
    place_of = {label: place for place, label in enumerate(wording)}
    unknown = next((label for label in gold if label not in place_of and label not in excluded), None)
    if unknown is not None:
        raise DataError(f"gold label {unknown!r} is not one of the {len(wording)} labels; check the labels")
    began = time.perf_counter()
    results = model.classify(texts, wording, **settings)
    seconds = time.perf_counter() - began
    grid = _label_grid(results, place_of, gold)
    can_be_right = grid.has_gold
    kept_gold = [label for label in gold if label in place_of]
    scores = grid.scores[can_be_right]
    if not len(scores):
        raise DataError("no text has a label of the set: every one is of an excluded class")
    # The best label even where a threshold was not reached: accuracy is about the order of the labels.
    names = list(wording)
    report = evaluate_single_label(kept_gold, [names[place] for place in scores.argmax(axis=1)], labels=names)
    places = np.array([place_of[label] for label in kept_gold])
    reliability = evaluate_reliability(scores, places)
    measures = _choice_measures(report, reliability)
    if not can_be_right.all():
        measures["accuracy_all_texts"] = grid.accuracy(counts_texts_without_gold=True)
    return Evaluation(
        measures,
        num_rows=len(texts),
        seconds=seconds,
        num_pairs=grid.scores.size,
        per_label=report.per_label,
        confusion=ConfusionTable.of(report),
        reliability=reliability,
        curve=threshold_curve(*top_label_outcomes(scores, places)),
        lengths=length_histogram(texts),
    )


def evaluate_entailment(
    model: Entailer,
    pairs: Sequence[tuple[str, str]],
    gold: Sequence[str],
    *,
    is_binary: bool = False,
    **settings: Any,
) -> Evaluation:
    """Measure entailment against gold labels of three classes or two.

    Where a gold label is "not_entailment", neutral and contradiction both count as that.

    Args:
        model: anything that judges pairs.
        pairs: (premise, hypothesis).
        gold: "entailment", "neutral", "contradiction" or "not_entailment", one per pair.
        is_binary: put neutral and contradiction together even where both sides tell them apart.
        settings: passed on to ``entail``.

    Raises:
        DataError: a gold label has another name, or there are no pairs.
    """
    _check_rows(pairs, gold)
    unknown = next((label for label in gold if label not in NLI_LABELS), None)
    if unknown is not None:
        raise DataError(f"gold label {unknown!r} is not one of {', '.join(NLI_LABELS)}")
    began = time.perf_counter()
    results = model.entail(pairs=pairs, **settings)
    seconds = time.perf_counter() - began
    is_binary = is_binary or "not_entailment" in gold or any(result.neutral is None for result in results)
    classes = ("entailment", "not_entailment") if is_binary else NLI_LABELS[:3]
    probabilities = np.array([_class_scores(result, is_binary=is_binary) for result in results])
    targets = [_as_class(label, is_binary=is_binary) for label in gold]
    predicted = [classes[place] for place in probabilities.argmax(axis=1)]
    report = evaluate_single_label(targets, predicted, labels=classes)
    places = np.array([classes.index(label) for label in targets])
    reliability = evaluate_reliability(probabilities, places)
    return Evaluation(
        _choice_measures(report, reliability),
        num_rows=len(pairs),
        seconds=seconds,
        per_label=report.per_label,
        confusion=ConfusionTable.of(report),
        reliability=reliability,
        curve=threshold_curve(*top_label_outcomes(probabilities, places)),
        lengths=length_histogram([premise for premise, _ in pairs]),
    )


def evaluate_rankings(
    model: Ranker,
    queries: Sequence[RankingQuery],
    *,
    ks: Sequence[int] = (1, 3, 5, 10),
    on_progress: Callable[[int, int], None] | None = None,
    **settings: Any,
) -> Evaluation:
    """Measure how well the candidates of each query are ordered: MRR, Hit@k, NDCG@k.

    Args:
        model: anything that ranks; its scores are taken for probabilities of being relevant.
        queries: each with its candidates and their relevance.
        ks: the cut-offs.
        on_progress: called with (candidates done, candidates in all) after each query.
        settings: passed on to ``rank``.

    Raises:
        DataError: there are no queries.
        InputError: no query has a relevant candidate.
    """
    _check_rows(queries, queries)
    num_pairs = sum(len(query.candidates) for query in queries)
    scores: list[NDArray[np.float64]] = []
    num_done = 0
    began = time.perf_counter()
    for query in queries:
        found = np.full(len(query.candidates), np.nan)
        for candidate in model.rank(query.text, query.candidates, **settings):
            found[candidate.index] = candidate.score
        if np.isnan(found).any():
            raise DataError(f"the model gave no score to a candidate of query {query.text[:60]!r}")
        scores.append(found)
        num_done += len(found)
        if on_progress is not None:
            on_progress(num_done, num_pairs)
    seconds = time.perf_counter() - began
    report = evaluate_ranking(scores, [np.array(query.relevance) for query in queries], ks=ks)
    pooled = np.concatenate(scores)
    is_relevant = np.concatenate([np.array(query.relevance) for query in queries]) > 0
    reliability = evaluate_reliability(np.clip(pooled, 0.0, 1.0), is_relevant)
    return Evaluation(
        report.to_dict(),
        num_rows=len(queries),
        seconds=seconds,
        num_pairs=num_pairs,
        reliability=reliability,
        curve=threshold_curve(pooled, is_relevant),
        lengths=length_histogram([text for query in queries for text in query.candidates]),
    )


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
    found = list(zip(questions, answers, strict=True))
    report = evaluate_squad(
        questions,
        {question.id: answer.text for question, answer in found},
        na_probs={question.id: answer.null_score for question, answer in found},
    )
    # What a reader says beside the span: how likely the context holds an answer at all.
    is_answerable = np.array([question.has_answer for question in questions])
    probabilities = np.clip([1.0 - answer.null_score for answer in answers], 0.0, 1.0)
    return Evaluation(
        dict(report.measures),
        num_rows=len(questions),
        seconds=seconds,
        reliability=evaluate_reliability(probabilities, is_answerable),
        curve=threshold_curve(probabilities, is_answerable),
        lengths=length_histogram([question.context for question in questions]),
        precision_recall=report.precision_recall,
    )


def _label_grid(
    results: Sequence[Classification], place_of: Mapping[str, int], gold: Sequence[str]
) -> PairGrid:
    """Lay the scores out by (text, label); every text must have every label exactly once."""
    scores = label_scores(results, list(place_of), num_texts=len(gold))
    holds = np.zeros(scores.shape, dtype=bool)
    for row, label in enumerate(gold):
        if label in place_of:
            holds[row, place_of[label]] = True
    return PairGrid(tuple(range(len(gold))), tuple(place_of), scores, holds)


def _choice_measures(report: SingleLabelReport, reliability: ReliabilityReport) -> dict[str, float]:
    return {
        "accuracy": report.accuracy,
        "balanced_accuracy": report.balanced_accuracy,
        "macro_f1": report.macro.f1,
        "ece": reliability.ece,
        "brier": reliability.brier,
    }


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

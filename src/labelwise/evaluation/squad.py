"""The official SQuAD 2.0 measure, written anew: exact match, F1, best thresholds, precision-recall.

Source: Rajpurkar, Jia and Liang (2018), "Know What You Don't Know", and the behaviour of the evaluation
script that was published with it. Sums run in the script's order, so the numbers agree to the last bit.
"""

from __future__ import annotations

import math
import re
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labelwise.errors import InputError
from labelwise.evaluation.squad_file import SquadQuestion

__all__ = ["SquadReport", "evaluate_squad", "exact_match", "normalize_answer", "token_f1"]

# Only ASCII punctuation goes: curly quotes and dashes stay, as in the official script.
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")


@dataclass(frozen=True, slots=True)
class SquadReport:
    """What the official script prints, and what it leaves out.

    Attributes:
        measures: the official names ("exact", "f1", "total", "HasAns_exact", "best_f1_thresh", ...) to
            numbers; scores and averages are per cent, thresholds are on the scale of the ``na_probs`` given.
        missing: ids of questions without a prediction; they count in no measure.
        unknown: ids of predictions that no question has; ignored.
        precision_recall: (recall, precision) by F1, from 0 to 1, as more questions are answered, those with
            the least ``na_probs`` first; empty without them.
    """

    measures: Mapping[str, float]
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    precision_recall: tuple[tuple[float, float], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the measures and how many predictions were missing or unknown."""
        return {
            **self.measures,
            "missing_predictions": len(self.missing),
            "unknown_predictions": len(self.unknown),
        }


@dataclass(frozen=True, slots=True)
class _Scored:
    """Raw scores by question id, of the questions that have a prediction."""

    exact: Mapping[str, float]
    f1: Mapping[str, float]
    has_answer: Mapping[str, bool]
    is_empty: Mapping[str, bool]


def normalize_answer(text: str) -> str:
    """Lower the case, then drop ASCII punctuation, then English articles, then extra white space.

    >>> normalize_answer("The  Cat!")
    'cat'
    """
    bare = text.lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", bare).split())


def exact_match(prediction: str, gold: str) -> float:
    """Return 1 when both texts are equal after ``normalize_answer``, else 0."""
    return float(normalize_answer(prediction) == normalize_answer(gold))


def token_f1(prediction: str, gold: str) -> float:
    """Return the F1 of the two bags of normalised tokens; repeated tokens count as often as they occur.

    When either side has no tokens at all it is 1 if both have none, else 0.

    >>> token_f1("cat cat dog", "the cat")
    0.5
    """
    predicted_tokens = normalize_answer(prediction).split()
    gold_tokens = normalize_answer(gold).split()
    if not predicted_tokens or not gold_tokens:
        return float(predicted_tokens == gold_tokens)
    num_same = sum((Counter(gold_tokens) & Counter(predicted_tokens)).values())
    if num_same == 0:
        return 0.0
    precision = num_same / len(predicted_tokens)
    recall = num_same / len(gold_tokens)
    return (2 * precision * recall) / (precision + recall)


def evaluate_squad(
    questions: Sequence[SquadQuestion],
    predictions: Mapping[str, str],
    *,
    na_probs: Mapping[str, float] | None = None,
    na_prob_threshold: float = 1.0,
) -> SquadReport:
    """Score predicted answers with the official SQuAD 2.0 measure.

    The best thresholds are chosen on the questions that they are reported for, so they flatter the model.
    The official script stops with a KeyError when a prediction is missing; here the question is left
    out of every sum and named in the report.

    Args:
        questions: from ``read_squad``.
        predictions: question id to answer text, "" for no answer.
        na_probs: question id to how likely "no answer" is, on any scale; None leaves thresholds and
            precision-recall out. Its order decides which of equal values is visited first, as officially.
        na_prob_threshold: a question whose value is greater (not equal) counts as answered with "".

    Raises:
        InputError: two questions share an id, no question has a prediction, or a scored question has no
            finite number in ``na_probs``.

    >>> cat = SquadQuestion("q", "Who?", "The cat sat.", ("The cat",))
    >>> evaluate_squad([cat], {"q": "cat!"}).measures["exact"]
    100.0
    """
    _check_ids(questions)
    scored = _score(questions, predictions)
    if na_probs is not None:
        _check_na_probs(scored, na_probs)
    measures = _at_threshold(scored, na_probs, na_prob_threshold)
    curve: list[tuple[float, float]] = []
    if na_probs is not None:
        # sorted() is stable: equal values keep the order of the mapping.
        visited = sorted((key for key in na_probs if key in scored.exact), key=lambda key: na_probs[key])
        measures |= _best_thresholds(scored, na_probs, visited)
        measures |= _average_precisions(scored, na_probs, visited)
        curve = _precision_recall(scored.f1, scored.has_answer, na_probs, visited)
    known = {question.id for question in questions}
    return SquadReport(
        measures=measures,
        missing=tuple(question.id for question in questions if question.id not in predictions),
        unknown=tuple(key for key in predictions if key not in known),
        precision_recall=tuple(curve),
    )


def _check_ids(questions: Sequence[SquadQuestion]) -> None:
    seen: set[str] = set()
    for question in questions:
        if question.id in seen:
            raise InputError(f"two questions have the id {question.id!r}: give each its own")
        seen.add(question.id)


def _check_na_probs(scored: _Scored, na_probs: Mapping[str, float]) -> None:
    for key in scored.exact:
        if key not in na_probs or not math.isfinite(na_probs[key]):
            raise InputError(
                f"na_probs has {na_probs.get(key)!r} for question {key!r}: give each a finite number"
            )


def _score(questions: Sequence[SquadQuestion], predictions: Mapping[str, str]) -> _Scored:
    answered = [question for question in questions if question.id in predictions]
    if not answered:
        raise InputError(
            f"none of the {len(questions)} questions has a prediction: compare the ids of both files"
        )
    return _Scored(
        exact={question.id: _best_over_golds(exact_match, question, predictions) for question in answered},
        f1={question.id: _best_over_golds(token_f1, question, predictions) for question in answered},
        has_answer={question.id: question.has_answer for question in answered},
        is_empty={question.id: not predictions[question.id] for question in answered},
    )


def _best_over_golds(
    measure: Callable[[str, str], float], question: SquadQuestion, predictions: Mapping[str, str]
) -> float:
    # A gold answer such as "the" normalises to nothing and counts as no answer text.
    golds = [answer for answer in question.answers if normalize_answer(answer)] or [""]
    return max(measure(predictions[question.id], gold) for gold in golds)


def _at_threshold(
    scored: _Scored, na_probs: Mapping[str, float] | None, na_prob_threshold: float
) -> dict[str, float]:
    exact, f1 = dict(scored.exact), dict(scored.f1)
    for key in exact:
        if na_probs is not None and na_probs[key] > na_prob_threshold:
            exact[key] = f1[key] = float(not scored.has_answer[key])
    groups = {
        "": list(exact),
        "HasAns_": [key for key in exact if scored.has_answer[key]],
        "NoAns_": [key for key in exact if not scored.has_answer[key]],
    }
    measures: dict[str, float] = {}
    for prefix, keys in groups.items():
        if keys:
            measures[f"{prefix}exact"] = 100.0 * sum(exact[key] for key in keys) / len(keys)
            measures[f"{prefix}f1"] = 100.0 * sum(f1[key] for key in keys) / len(keys)
            measures[f"{prefix}total"] = len(keys)
    return measures


def _best_thresholds(
    scored: _Scored, na_probs: Mapping[str, float], visited: Sequence[str]
) -> dict[str, float]:
    measures: dict[str, float] = {}
    for name, scores in (("exact", scored.exact), ("f1", scored.f1)):
        # Start with every question answered by "" and take the predictions in, the surest first.
        current = best = float(sum(not has_answer for has_answer in scored.has_answer.values()))
        threshold = 0.0
        for key in visited:
            if scored.has_answer[key]:
                current += scores[key]
            elif not scored.is_empty[key]:
                current -= 1
            if current > best:
                best, threshold = current, na_probs[key]
        measures[f"best_{name}"] = 100.0 * best / len(scores)
        measures[f"best_{name}_thresh"] = threshold
    return measures


def _average_precisions(
    scored: _Scored, na_probs: Mapping[str, float], visited: Sequence[str]
) -> dict[str, float]:
    if not any(scored.has_answer.values()):
        return {}
    oracle = {key: float(has_answer) for key, has_answer in scored.has_answer.items()}
    return {
        f"pr_{name}_ap": _average_precision(scores, scored.has_answer, na_probs, visited)
        for name, scores in (("exact", scored.exact), ("f1", scored.f1), ("oracle", oracle))
    }


def _average_precision(
    scores: Mapping[str, float],
    has_answer: Mapping[str, bool],
    na_probs: Mapping[str, float],
    visited: Sequence[str],
) -> float:
    recall_before = average = 0.0
    for recall, precision in _precision_recall(scores, has_answer, na_probs, visited):
        average += precision * (recall - recall_before)
        recall_before = recall
    return 100.0 * average


def _precision_recall(
    scores: Mapping[str, float],
    has_answer: Mapping[str, bool],
    na_probs: Mapping[str, float],
    visited: Sequence[str],
) -> list[tuple[float, float]]:
    """Return (recall, precision) as more and more questions are answered, surest first."""
    num_answerable = sum(has_answer.values())
    if not num_answerable:
        return []
    true_positives = 0.0
    points = []
    for place, key in enumerate(visited):
        if has_answer[key]:
            true_positives += scores[key]
        is_last = place == len(visited) - 1
        # A threshold cannot part equal values, so the curve has a point only after the last of them.
        if is_last or na_probs[key] != na_probs[visited[place + 1]]:
            points.append((true_positives / num_answerable, true_positives / (place + 1)))
    return points

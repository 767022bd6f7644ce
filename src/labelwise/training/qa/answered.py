"""Questions that a model has answered once, so that every null threshold can be judged by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from labelwise.calibration.null_threshold import fit_null_threshold
from labelwise.errors import DataError
from labelwise.evaluation.reliability import evaluate_reliability
from labelwise.evaluation.squad import evaluate_squad
from labelwise.evaluation.squad_file import SquadQuestion
from labelwise.model import Model
from labelwise.scores import sigmoid

__all__ = ["AnsweredQuestions", "answer_questions"]

Floats = NDArray[np.float64]

# A score that is 0 or 1 in a float has no logarithm, or an endless one.
_LEAST_SCORE: Final = float(np.finfo(np.float64).tiny)
_NEAREST_TO_ONE: Final = float(np.finfo(np.float64).eps) / 2


@dataclass(frozen=True, slots=True)
class AnsweredQuestions:
    """What a model says to questions before any null threshold.

    Attributes:
        questions: with the answers that count as right.
        spans: the best span of each, whatever speaks for "no answer".
        null_margins: shape (questions,): the null logit less the logit of that span.
        null_log_odds: shape (questions,): log-odds of "no answer" against all spans.
    """

    questions: tuple[SquadQuestion, ...]
    spans: tuple[str, ...]
    null_margins: Floats
    null_log_odds: Floats

    @property
    def has_answer(self) -> NDArray[np.bool_]:
        """True where the context answers the question."""
        return np.array([question.has_answer for question in self.questions], dtype=bool)

    def at(self, places: NDArray[np.int64]) -> AnsweredQuestions:
        """Return the questions at these places."""
        return AnsweredQuestions(
            tuple(self.questions[place] for place in places),
            tuple(self.spans[place] for place in places),
            self.null_margins[places],
            self.null_log_odds[places],
        )

    def fit(self, *, is_balanced: bool = False) -> float:
        """Return the null threshold of greatest official F1; see ``fit_null_threshold``."""
        f1 = np.array(
            [
                evaluate_squad([question], {question.id: span}).measures["f1"] / 100.0
                for question, span in zip(self.questions, self.spans, strict=True)
            ]
        )
        return fit_null_threshold(self.null_margins, f1, self.has_answer, is_balanced=is_balanced)

    def measures(self, null_threshold: float) -> dict[str, float]:
        """Return the official measures with that threshold under their official names, in per cent."""
        return dict(
            evaluate_squad(
                self.questions,
                {
                    question.id: "" if margin > null_threshold else span
                    for question, span, margin in zip(
                        self.questions, self.spans, self.null_margins.tolist(), strict=True
                    )
                },
            ).measures
        )

    def reliability(self, null_threshold: float) -> dict[str, Any]:
        """Return how well the probability of an answer at all is calibrated with that threshold."""
        probabilities = sigmoid(null_threshold - self.null_log_odds)
        return evaluate_reliability(probabilities, self.has_answer).to_dict()


def answer_questions(model: Model, questions: Sequence[SquadQuestion]) -> AnsweredQuestions:
    """Ask a model each question once; what null threshold it has changes nothing.

    Raises:
        DataError: there is no question.
        TaskNotSupportedError: the model has no reader head.
    """
    if not questions:
        raise DataError("there are no questions to answer")
    pairs = [(question.question, question.context) for question in questions]
    found = model.answer(pairs=pairs, no_answer=False, null_threshold=0.0)
    # A span's score is its share among the spans, that of "no answer" among all: both tell the margin.
    span_scores = np.maximum(np.array([answer.score for answer in found]), _LEAST_SCORE)
    null_scores = np.clip([answer.null_score for answer in found], _LEAST_SCORE, 1.0 - _NEAREST_TO_ONE)
    log_odds = np.log(null_scores) - np.log1p(-null_scores)
    return AnsweredQuestions(
        tuple(questions), tuple(answer.text for answer in found), log_odds - np.log(span_scores), log_odds
    )

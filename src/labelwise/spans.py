"""Answer spans from start and end logits, decided at logit level over all windows of a context."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import InputError
from labelwise.results import Answer

__all__ = ["AnswerRule", "SpanCandidate", "WindowLogits", "best_spans", "decide_answers"]

# As in the published SQuAD recipe: probabilities are shared among the 20 best candidates.
_NUM_BEST = 20


@dataclass(frozen=True, slots=True)
class AnswerRule:
    """How spans become answers.

    Attributes:
        top_k: how many answers to return; they never overlap each other.
        no_answer: True lets "no answer" win.
        max_answer_tokens: the longest span that is considered.
        null_threshold: logits by which "no answer" must beat the best span (``score_diff`` of SQuAD 2.0).
            They are taken from the null logit before it becomes a probability, so that what wins is also
            what is likeliest.
    """

    top_k: int = 1
    no_answer: bool = True
    max_answer_tokens: int = 30
    null_threshold: float = 0.0

    def __post_init__(self) -> None:
        if self.top_k < 1:
            raise InputError(f"top_k must be at least 1, got {self.top_k}")
        if self.max_answer_tokens < 1:
            raise InputError(f"max_answer_tokens must be at least 1, got {self.max_answer_tokens}")
        if not math.isfinite(self.null_threshold):
            raise InputError(f"null_threshold must be a finite number, got {self.null_threshold}")


@dataclass(frozen=True, slots=True)
class WindowLogits:
    """What the reader said about one window of the context.

    Attributes:
        start: start logits of the window's context tokens, shape (tokens,).
        end: end logits of the same tokens.
        offsets: their character spans in the whole context, shape (tokens, 2).
        null: start plus end logit of the first control token, which stands for "no answer".
    """

    start: NDArray[np.floating]
    end: NDArray[np.floating]
    offsets: NDArray[np.int64]
    null: float


@dataclass(frozen=True, slots=True)
class SpanCandidate:
    """A character span of the context and the sum of its start and end logit."""

    start: int
    end: int
    logit: float


def best_spans(
    windows: Sequence[WindowLogits], *, max_answer_tokens: int, num_best: int
) -> list[SpanCandidate]:
    """Return the best distinct spans over all windows, best first.

    Logits of different windows are compared as they are: a softmax per window would let a window
    without an answer look confident. A span seen in two windows keeps its better logit.
    """
    best: dict[tuple[int, int], float] = {}
    for window in windows:
        for start, end, logit in _window_spans(window, max_answer_tokens, num_best):
            best[start, end] = max(logit, best.get((start, end), -np.inf))
    ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))
    return [SpanCandidate(start, end, logit) for (start, end), logit in ranked[:num_best]]


def decide_answers(context: str, windows: Sequence[WindowLogits], rule: AnswerRule) -> list[Answer]:
    """Return the answers of one question, best first; "no answer" takes its place among them.

    The null score is the least over the windows: any window that holds an answer speaks against it
    (official SQuAD 2.0 post-processing). Probabilities are a softmax over the 20 best spans and null, less
    ``rule.null_threshold``.

    Args:
        context: the text that the windows' offsets point into.
        windows: at least one.
        rule: the decision rule.
    """
    # Answers may not overlap, so more candidates than answers are needed when several are asked for.
    num_best = _NUM_BEST if rule.top_k == 1 else max(_NUM_BEST, 2 * rule.top_k * rule.max_answer_tokens)
    spans = best_spans(windows, max_answer_tokens=rule.max_answer_tokens, num_best=num_best)
    null = min(window.null for window in windows)
    logits = [span.logit for span in spans[:_NUM_BEST]]
    weighed = null - rule.null_threshold
    null_score = float(np.exp(weighed - _log_sum([*logits, weighed])))
    empty = Answer("", 0, 0, score=null_score, null_score=null_score, windows_read=len(windows))
    if not spans:
        return [empty]
    total = _log_sum([*logits, weighed] if rule.no_answer else logits)
    chosen = _without_overlaps(spans, rule.top_k)
    answers = [
        Answer(
            text=context[span.start : span.end],
            start=span.start,
            end=span.end,
            score=float(np.exp(span.logit - total)),
            null_score=null_score,
            windows_read=len(windows),
        )
        for span in chosen
    ]
    if rule.no_answer:
        place = sum(null - span.logit <= rule.null_threshold for span in chosen)
        answers.insert(place, empty)
    return answers[: rule.top_k]


def _log_sum(logits: Sequence[float]) -> float:
    top = max(logits)
    return float(top + np.log(np.exp(np.array(logits) - top).sum()))


def _without_overlaps(spans: Sequence[SpanCandidate], most: int) -> list[SpanCandidate]:
    kept: list[SpanCandidate] = []
    for span in spans:
        if all(span.end <= other.start or other.end <= span.start for other in kept):
            kept.append(span)
        if len(kept) == most:
            break
    return kept


def _window_spans(
    window: WindowLogits, max_answer_tokens: int, num_best: int
) -> list[tuple[int, int, float]]:
    num_tokens = len(window.start)
    reach = min(max_answer_tokens, num_tokens)
    if reach == 0:
        return []
    # sums[i, j] = start logit of token i + end logit of token i + j, for spans of j + 1 tokens.
    padded_end = np.concatenate([np.asarray(window.end, dtype=np.float64), np.full(reach - 1, -np.inf)])
    ends = np.lib.stride_tricks.sliding_window_view(padded_end, reach)
    sums = np.asarray(window.start, dtype=np.float64)[:, None] + ends
    flat = sums.ravel()
    count = min(num_best, flat.size)
    top = np.argpartition(-flat, count - 1)[:count]
    found = []
    for place in top[np.isfinite(flat[top])]:
        first, extra = divmod(int(place), reach)
        start, end = int(window.offsets[first, 0]), int(window.offsets[first + extra, 1])
        if end > start:
            found.append((start, end, float(flat[place])))
    return found

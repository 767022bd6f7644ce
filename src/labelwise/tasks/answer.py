"""Answer: where in the context is the answer, or is there none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelwise.backends.base import Backend
from labelwise.batching import plan_batches
from labelwise.errors import InputError, TextTooLongError
from labelwise.results import Answer
from labelwise.scores import check_finite
from labelwise.spans import AnswerRule, WindowLogits, decide_answers
from labelwise.tasks.pairs import MIN_ROOM, OnProgress
from labelwise.text.pair import PairLayout
from labelwise.text.tokenizer import EncodedText, TextTokenizer
from labelwise.windows import Window, plan_windows

__all__ = ["SpanReader", "answer"]

# The published readers were trained on windows of 384 tokens that share 128 (spec: run_qa.py).
_WINDOW_TOKENS = 384
_OVERLAP_TOKENS = 128


@dataclass(frozen=True, slots=True)
class _Row:
    pair: int
    window: Window


@dataclass(frozen=True, slots=True)
class SpanReader:
    """Runs questions and windows of their contexts through a question-answering model.

    Attributes:
        tokenizer: encodes each text alone.
        layout: question first, then the context.
        backend: returns start and end logits.
        batch_tokens: the most tokens in one padded batch.
    """

    tokenizer: TextTokenizer
    layout: PairLayout
    backend: Backend
    batch_tokens: int

    def windows(self, question: EncodedText, context: EncodedText, *, number: int) -> tuple[Window, ...]:
        """Plan the windows of a context beside its question."""
        window_tokens = min(_WINDOW_TOKENS, self.layout.max_tokens)
        room = window_tokens - self.layout.num_control_tokens - len(question)
        if room < MIN_ROOM:
            raise TextTooLongError(
                f"question {number} has {len(question)} tokens, which leaves no room for the context in a "
                f"window of {window_tokens} tokens; shorten it"
            )
        return plan_windows(len(context), room=room, overlap=min(_OVERLAP_TOKENS, room // 2))

    def read(
        self,
        questions: Sequence[EncodedText],
        contexts: Sequence[EncodedText],
        *,
        on_progress: OnProgress | None = None,
    ) -> list[list[WindowLogits]]:
        """Return the logits of every window of each (question, context), in order."""
        rows = [
            _Row(pair, window)
            for pair, (question, context) in enumerate(zip(questions, contexts, strict=True))
            for window in self.windows(question, context, number=pair + 1)
        ]
        lengths = [
            len(questions[row.pair]) + len(row.window) + self.layout.num_control_tokens for row in rows
        ]
        read: dict[int, WindowLogits] = {}
        for batch in plan_batches(lengths, max_tokens=self.batch_tokens):
            sequences = [
                self.layout.assemble(
                    questions[row.pair].ids, contexts[row.pair].ids[row.window.start : row.window.end]
                )
                for row in (rows[place] for place in batch)
            ]
            start, end = self.backend.run(sequences)
            for line, place in enumerate(batch):
                row = rows[place]
                first = self.layout.second_start(len(questions[row.pair]))
                offsets = contexts[row.pair].offsets[row.window.start : row.window.end]
                read[int(place)] = _window_logits(start[line], end[line], first, offsets)
            if on_progress is not None:
                on_progress(len(read), len(rows))
        by_pair: list[list[WindowLogits]] = [[] for _ in questions]
        for place, row in enumerate(rows):
            by_pair[row.pair].append(read[place])
        return by_pair


def answer(
    pairs: Sequence[tuple[str, str]],
    reader: SpanReader,
    rule: AnswerRule,
    *,
    on_progress: OnProgress | None = None,
) -> list[list[Answer]]:
    """Answer each (question, context), in order; up to ``rule.top_k`` answers each, best first.

    Raises:
        InputError: a question is blank.
    """
    for number, (question, _) in enumerate(pairs, start=1):
        if not question.strip():
            raise InputError(f"question {number} is blank; ask something")
    distinct = list(dict.fromkeys(context for _, context in pairs))
    contexts = dict(zip(distinct, reader.tokenizer.encode_many(distinct), strict=True))
    # Leading spaces in questions are dropped, as the published recipe does.
    questions = reader.tokenizer.encode_many([question.lstrip() for question, _ in pairs])
    read = reader.read(questions, [contexts[context] for _, context in pairs], on_progress=on_progress)
    return [decide_answers(context, windows, rule) for (_, context), windows in zip(pairs, read, strict=True)]


def _window_logits(
    start: NDArray[np.float32], end: NDArray[np.float32], first: int, offsets: NDArray[np.int64]
) -> WindowLogits:
    span = slice(first, first + len(offsets))
    null = float(start[0]) + float(end[0])
    check_finite(start[span], name="the reader's start logits")
    check_finite(end[span], name="the reader's end logits")
    check_finite(np.array([null]), name="the reader's null logit")
    return WindowLogits(start[span], end[span], offsets, null)

"""Questions beside windows of their contexts as token ids, with the answer's first and last token."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import InputError
from labelwise.tasks.pairs import MIN_ROOM
from labelwise.text.pair import PairLayout
from labelwise.text.tokenizer import EncodedText, TextTokenizer
from labelwise.training.qa.examples import QaExample
from labelwise.windows import Window, plan_windows

__all__ = ["QaFeatures", "encode_examples"]


@dataclass(frozen=True, slots=True)
class QaFeatures:
    """Windows of all examples end to end, in order.

    Attributes:
        ids: token ids of all windows, shape (tokens,).
        token_types: as many; all 0 where the layout has none.
        row_starts: where each window begins in ``ids``, and the end, shape (windows + 1,).
        start_positions: the answer's first token, counted within its window; 0, the first control token,
            where the window does not answer. Shape (windows,).
        end_positions: the answer's last token, inclusive; 0 likewise.
        context_starts: where the context's tokens begin within each window.
        context_ends: where they end, exclusive.
        example_indices: which example each window belongs to.
        num_examples: how many examples there were.
    """

    ids: NDArray[np.int32]
    token_types: NDArray[np.int8]
    row_starts: NDArray[np.int64]
    start_positions: NDArray[np.int64]
    end_positions: NDArray[np.int64]
    context_starts: NDArray[np.int64]
    context_ends: NDArray[np.int64]
    example_indices: NDArray[np.int64]
    num_examples: int

    def __len__(self) -> int:
        return len(self.example_indices)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The number of tokens of each window."""
        return np.diff(self.row_starts)

    @property
    def examples_left_out(self) -> tuple[int, ...]:
        """The examples without a window: their answer covers no token, or no window holds it whole."""
        return tuple(sorted(set(range(self.num_examples)) - set(self.example_indices.tolist())))

    def row(self, window: int) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
        """Return the ids and token types of one window."""
        part = slice(self.row_starts[window], self.row_starts[window + 1])
        return self.ids[part], self.token_types[part]


@dataclass(frozen=True, slots=True)
class _Row:
    window: Window
    first: int
    last: int  # of the answer, inclusive, counted within the window; -1 for none

    @property
    def has_answer(self) -> bool:
        return self.last >= 0


def encode_examples(
    examples: Sequence[QaExample],
    tokenizer: TextTokenizer,
    layout: PairLayout,
    *,
    max_tokens: int,
    stride: int,
    max_question_tokens: int = 64,
    max_empty_windows: int | None = None,
    seed: int = 0,
) -> QaFeatures:
    """Encode examples into windows planned as in ``tasks/answer.py``.

    The target of a window is the first of the example's answers that it holds whole. A window that only cuts
    an answer is left out: it neither answers nor lacks the answer.

    Args:
        examples: answered and unanswerable ones.
        tokenizer: encodes each text alone; its offsets tell which tokens an answer covers.
        layout: question first, then the context.
        max_tokens: the most tokens of a window, question and control tokens included.
        stride: context tokens that neighbouring windows share, at most half of a window's room.
        max_question_tokens: longer questions are cut.
        max_empty_windows: of each example keep at most so many windows without an answer, drawn at random;
            None keeps all.
        seed: of that draw.

    Raises:
        InputError: the windows have no room for a context, or a number is out of range.
    """
    window_tokens = min(max_tokens, layout.max_tokens)
    _check(window_tokens, stride, layout, max_question_tokens, max_empty_windows)
    texts = tuple(dict.fromkeys(example.context for example in examples))
    contexts = dict(zip(texts, tokenizer.encode_many(texts), strict=True))
    # Leading spaces in questions are dropped, as when answering.
    questions = tokenizer.encode_many([example.question.lstrip() for example in examples])
    building = _Building(layout)
    for index, (example, question) in enumerate(zip(examples, questions, strict=True)):
        context, question_ids = contexts[example.context], question.ids[:max_question_tokens]
        room = window_tokens - layout.num_control_tokens - len(question_ids)
        windows = plan_windows(len(context), room=room, overlap=min(stride, room // 2))
        rows = _rows(windows, _token_spans(example, context))
        if max_empty_windows is not None:
            rows = _sampled(rows, max_empty_windows, random.Random(f"windows:{seed}:{index}"))
        for row in rows:
            building.add(index, question_ids, context.ids[row.window.start : row.window.end], row)
    return building.features(len(examples))


class _Building:
    def __init__(self, layout: PairLayout) -> None:
        self._layout = layout
        self._ids: list[NDArray[np.int32]] = []
        self._types: list[NDArray[np.int8]] = []
        self._numbers: list[tuple[int, int, int, int, int]] = []

    def add(self, example: int, question: NDArray[np.int64], context: NDArray[np.int64], row: _Row) -> None:
        sequence = self._layout.assemble(question, context)
        types = np.zeros(len(sequence)) if sequence.token_types is None else sequence.token_types
        self._ids.append(sequence.ids.astype(np.int32))
        self._types.append(types.astype(np.int8))
        begin = self._layout.second_start(len(question))
        target = (begin + row.first, begin + row.last) if row.has_answer else (0, 0)
        self._numbers.append((*target, begin, begin + len(context), example))

    def features(self, num_examples: int) -> QaFeatures:
        starts, ends, context_starts, context_ends, examples = (
            np.array(self._numbers, dtype=np.int64).reshape(-1, 5).T
        )
        return QaFeatures(
            np.concatenate([*self._ids, np.empty(0, np.int32)]),
            np.concatenate([*self._types, np.empty(0, np.int8)]),
            np.cumsum([0, *map(len, self._ids)], dtype=np.int64),
            starts,
            ends,
            context_starts,
            context_ends,
            examples,
            num_examples,
        )


def _check(
    window_tokens: int,
    stride: int,
    layout: PairLayout,
    max_question_tokens: int,
    max_empty_windows: int | None,
) -> None:
    if max_question_tokens < 1:
        raise InputError(f"max_question_tokens is {max_question_tokens}: use at least 1")
    if stride < 0:
        raise InputError(f"stride is {stride}: use at least 0")
    if max_empty_windows is not None and max_empty_windows < 0:
        raise InputError(f"max_empty_windows is {max_empty_windows}: use at least 0")
    room = window_tokens - layout.num_control_tokens - max_question_tokens
    if room < MIN_ROOM:
        raise InputError(
            f"windows of {window_tokens} tokens leave {room} for the context beside questions of "
            f"{max_question_tokens}: raise max_tokens or lower max_question_tokens"
        )


def _token_spans(example: QaExample, context: EncodedText) -> list[tuple[int, int]] | None:
    """Return first and last token of each answer; None when there are answers but none covers a token."""
    starts, ends = context.offsets[:, 0], context.offsets[:, 1]
    spans = []
    for start, text in example.answers:
        covered = np.flatnonzero((starts < start + len(text)) & (ends > start))
        if len(covered):
            spans.append((int(covered[0]), int(covered[-1])))
    return spans if spans or example.is_impossible else None


def _rows(windows: Sequence[Window], spans: Sequence[tuple[int, int]] | None) -> list[_Row]:
    return [] if spans is None else [row for window in windows for row in _row(window, spans)]


def _row(window: Window, spans: Sequence[tuple[int, int]]) -> Iterator[_Row]:
    whole = next(((a, b) for a, b in spans if window.start <= a and b < window.end), None)
    if whole is not None:
        yield _Row(window, whole[0] - window.start, whole[1] - window.start)
    elif all(last < window.start or first >= window.end for first, last in spans):
        yield _Row(window, 0, -1)


def _sampled(rows: Sequence[_Row], most_empty: int, generator: random.Random) -> list[_Row]:
    empty = [place for place, row in enumerate(rows) if not row.has_answer]
    if len(empty) <= most_empty:
        return list(rows)
    kept = set(generator.sample(empty, most_empty))
    return [row for place, row in enumerate(rows) if row.has_answer or place in kept]

"""The rows that an export is tried on: all lengths, in the model's own layout, in batches of odd sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from labelwise.backends.heads import HeadOutputs
from labelwise.batching import plan_batches
from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.heads import MultitaskHead, ReaderHead
from labelwise.export.sentences import LABELS, make_passages, make_questions
from labelwise.graphs.nested import encoder_config_of
from labelwise.model import Model
from labelwise.text.isolated_labels import IsolatedLabelsLayout
from labelwise.text.pair import PairLayout
from labelwise.text.sequence import TokenSequence

__all__ = ["GateRows", "Head", "make_gate_rows"]

Head = Literal["labels", "entailment", "answers"]

Ids = NDArray[np.int64]
_BATCH_SIZES: Final = (1, 3, 5, 7, 2, 9, 15)
_EVEN_TOKENS: Final = 2048
_MIXED_TOKENS: Final = 4096
# Rows of mixed lengths, which are mostly padding; the others stand with their likes, three times as fast.
_MIXED_SHARE: Final = 0.15
_USUAL_LONGEST: Final = 512
_BEYOND: Final = (1.02, 1.25, 1.6, 2.0)
_MOST_LABELS: Final = 6
_MOST_PASSAGES: Final = 400
_TINY: Final = (1, 2, 3)


# The head that gives each of the network's outputs.
_HEADS: Final[Mapping[str, tuple[Head, ...]]] = {
    "sequence-classification": ("entailment",),
    "question-answering": ("answers", "answers"),
    "joint-labels": ("labels",),
    "multitask": ("labels", "entailment", "answers", "answers"),
}


@dataclass(frozen=True, slots=True)
class GateRows:
    """Batches of rows.

    Attributes:
        batches: the rows.
        readers: which head each row is for, in the same order.
        heads: which head gives each of the network's outputs.
    """

    batches: tuple[tuple[TokenSequence, ...], ...]
    readers: tuple[tuple[Head, ...], ...]
    heads: tuple[Head, ...]

    @property
    def num_inputs(self) -> int:
        """Rows in all batches."""
        return sum(map(len, self.batches))

    @property
    def longest_tokens(self) -> int:
        """Tokens of the longest row."""
        return max(len(row) for batch in self.batches for row in batch)

    def sample(self, num_inputs: int) -> GateRows:
        """Return batches spread over all, of about that many rows."""
        step = self.step(num_inputs)
        return replace(self, batches=self.batches[::step], readers=self.readers[::step])

    def step(self, num_inputs: int) -> int:
        """Return which share of the batches holds about that many rows: every second, every third, ..."""
        return max(1, self.num_inputs // num_inputs)


def make_gate_rows(model: Model, *, count: int, texts: Sequence[str] = ()) -> GateRows:
    """Make rows of 1 token to the longest that the model reads, and beyond where its positions allow it.

    Args:
        model: gives the tokenizer and the layout.
        count: at least so many rows.
        texts: what they are made of; none for made-up passages.
    """
    random = np.random.default_rng(20)
    longest = min(model.checkpoint.max_tokens, _USUAL_LONGEST)
    statements, questions = _texts(min(count, _MOST_PASSAGES), texts)
    lengths = np.exp(random.uniform(0, np.log(longest), count)).astype(np.int64)
    lengths[: count // 20] = longest  # the end of the range is where positions go wrong
    beyond = [int(longest * part) for part in _BEYOND] if _reads_beyond(model.checkpoint) else []
    writer = _RowWriter(
        model,
        _Passages(model, statements),
        _Passages(model, questions),
        random,
        longest=max([longest, *beyond]),
    )
    rows = [writer.row(length) for length in random.permutation(lengths).tolist()]
    alone = [(row,) for row in (*map(writer.row, beyond), *writer.tiny_rows())]
    num_mixed = max(sum(_BATCH_SIZES), int(_MIXED_SHARE * count))
    batches = [*_mixed_batches(rows[:num_mixed]), *_even_batches(rows[num_mixed:])]
    # Long and short in turn: so every part of them is like the whole, and the time left can be told.
    shuffled = [batches[place] for place in random.permutation(len(batches)).tolist()]
    every = [*shuffled, *alone]
    return GateRows(
        batches=tuple(tuple(row.tokens for row in batch) for batch in every),
        readers=tuple(tuple(row.reader for row in batch) for batch in every),
        heads=_HEADS[HeadOutputs.of(model.checkpoint).kind],
    )


@dataclass(frozen=True, slots=True)
class _Row:
    """A row and the head that it is for."""

    tokens: TokenSequence
    reader: Head


def _reads_beyond(checkpoint: Checkpoint) -> bool:
    """Tell whether nothing but training bounds the row: no table of absolute positions."""
    encoder = encoder_config_of(checkpoint.config)
    family = encoder.get("model_type")
    knows_distances_only = family == "deberta-v2" and encoder.get("position_biased_input") is False
    return knows_distances_only or family == "modernbert"


def _even_batches(rows: Sequence[_Row]) -> Iterator[tuple[_Row, ...]]:
    for places in plan_batches([len(row.tokens) for row in rows], max_tokens=_EVEN_TOKENS):
        yield tuple(rows[place] for place in places.tolist())


def _mixed_batches(rows: Sequence[_Row]) -> Iterator[tuple[_Row, ...]]:
    """Cut rows into batches of changing size whose rows differ in length, within a budget of tokens."""
    sizes = cycle(_BATCH_SIZES)
    batch: list[_Row] = []
    size = next(sizes)
    for row in rows:
        longest = max(len(entry.tokens) for entry in (row, *batch))
        if batch and (len(batch) >= size or longest * (len(batch) + 1) > _MIXED_TOKENS):
            yield tuple(batch)
            batch, size = [], next(sizes)
        batch.append(row)
    if batch:
        yield tuple(batch)


def _texts(count: int, texts: Sequence[str]) -> tuple[Sequence[tuple[str, str]], Sequence[tuple[str, str]]]:
    """Return passages with statements, and passages with questions."""
    if texts:
        pairs = [(text, texts[(place * 7 + 1) % len(texts)]) for place, text in enumerate(texts)]
        return pairs, pairs
    return list(make_passages(count)), [(passage, question) for question, passage in make_questions(count)]


class _Passages:
    """Encoded texts and what goes with them, taken in turn; long ones are joined from several."""

    def __init__(self, model: Model, pairs: Sequence[tuple[str, str]]) -> None:
        self._firsts = _nonempty(model, [first for first, _ in pairs])
        self._seconds = _nonempty(model, [second for _, second in pairs])
        self.labels = _nonempty(model, list(LABELS))
        self._place = 0

    def pair(self, num_first: int, num_second: int) -> tuple[Ids, Ids]:
        """Return the next two texts, cut or joined to so many tokens."""
        self._place += 1
        return self._taken(self._firsts, num_first), self._taken(self._seconds, num_second)

    def second_tokens(self) -> int:
        """Return how many tokens the next second text has."""
        return len(self._seconds[(self._place + 1) % len(self._seconds)])

    def _taken(self, encoded: list[Ids], num_tokens: int) -> Ids:
        parts, place = [encoded[self._place % len(encoded)]], self._place
        while sum(map(len, parts)) < num_tokens:
            place += 1
            parts.append(encoded[place % len(encoded)])
        return np.concatenate(parts)[:num_tokens]


def _nonempty(model: Model, texts: Sequence[str]) -> list[Ids]:
    encoded = [entry.ids for entry in model.tokenizer.encode_many(texts) if len(entry.ids)]
    return encoded or [np.array([model.tokenizer.control.unk or 0], dtype=np.int64)]


class _RowWriter:
    """Writes rows of wished lengths in each of a model's layouts, in turn."""

    def __init__(
        self,
        model: Model,
        statements: _Passages,
        questions: _Passages,
        random: np.random.Generator,
        *,
        longest: int,
    ) -> None:
        self._statements, self._questions = statements, questions
        self._random = random
        # A row may be longer than what the model was trained on: that is tried, too.
        layout: Any = replace(model.layout, max_tokens=longest)
        self._pairs: PairLayout | None = layout if isinstance(layout, PairLayout) else None
        self._labels: Any = None if self._pairs else layout  # a JointLayout, or that of isolated labels
        head = model.checkpoint.head
        if isinstance(head, MultitaskHead) and self._pairs is not None:
            self._labels = IsolatedLabelsLayout.beside(self._pairs)
        self._kinds = [
            *([self._label_row] if self._labels is not None else []),
            *([self._statement_row] if self._pairs is not None and not isinstance(head, ReaderHead) else []),
            *([self._question_row] if isinstance(head, MultitaskHead | ReaderHead) else []),
        ]
        self._pair_reader: Head = "answers" if isinstance(head, ReaderHead) else "entailment"
        self._longest = longest

    def row(self, length: int) -> _Row:
        """Return a row of about that length, never longer than the longest."""
        return self._kinds[int(self._random.integers(0, len(self._kinds)))](length)

    def tiny_rows(self) -> list[_Row]:
        """Return rows of 1, 2 and 3 tokens, shorter than any layout; joint models have none."""
        if self._pairs is None:
            return []
        text, _ = self._statements.pair(max(_TINY), 1)
        end = np.array([self._pairs.suffix[-1]], dtype=np.int64)
        rows = (np.concatenate([text[: length - 1], end]) for length in _TINY)
        types = self._pairs.has_token_types
        return [
            _Row(TokenSequence(ids, token_types=np.zeros_like(ids) if types else None), self._pair_reader)
            for ids in rows
        ]

    def _statement_row(self, length: int) -> _Row:
        assert self._pairs is not None
        return _Row(self._pairs.assemble(*self._pair(self._statements, length)), "entailment")

    def _question_row(self, length: int) -> _Row:
        assert self._pairs is not None
        context, question = self._pair(self._questions, length)
        return _Row(self._pairs.assemble(question, context), "answers")

    def _pair(self, passages: _Passages, length: int) -> tuple[Ids, Ids]:
        assert self._pairs is not None
        room = max(2, min(length, self._longest) - self._pairs.num_control_tokens)
        second = min(max(1, room // 2), passages.second_tokens())
        return passages.pair(room - second, second)

    def _label_row(self, length: int) -> _Row:
        assert self._labels is not None
        number = int(self._random.integers(1, _MOST_LABELS + 1))
        places = self._random.permutation(len(self._statements.labels))[:number].tolist()
        chosen = [self._statements.labels[place] for place in places]
        fixed = self._labels.num_fixed_tokens
        while len(chosen) > 1 and fixed + _cost(chosen) + 2 > min(length, self._longest):
            chosen.pop()
        chosen = [ids[: max(1, self._longest - fixed - 3)] for ids in chosen]
        text, _ = self._statements.pair(max(1, min(length, self._longest) - fixed - _cost(chosen)), 1)
        return _Row(self._labels.assemble(text, chosen), "labels")


def _cost(labels: Sequence[Ids]) -> int:
    return sum(len(ids) + 1 for ids in labels)

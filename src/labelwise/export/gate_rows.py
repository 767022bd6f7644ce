"""The rows that an export is tried on: all lengths, in the model's own layout, in batches of odd sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.heads import MultitaskHead
from labelwise.export.sentences import LABELS, make_passages
from labelwise.graphs.nested import encoder_config_of
from labelwise.model import Model
from labelwise.text.isolated_labels import IsolatedLabelsLayout
from labelwise.text.pair import PairLayout
from labelwise.text.sequence import TokenSequence

__all__ = ["GateRows", "make_gate_rows"]

Ids = NDArray[np.int64]
_BATCH_SIZES: Final = (1, 3, 5, 7, 2, 9, 15)
_BATCH_TOKENS: Final = 4096
_USUAL_LONGEST: Final = 512
_BEYOND: Final = (1.02, 1.25, 1.6, 2.0)
_MOST_LABELS: Final = 6
_TINY: Final = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class GateRows:
    """Batches of rows; the first ``num_search_batches`` stand for all where many tries are needed."""

    batches: tuple[tuple[TokenSequence, ...], ...]

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
        step = max(1, self.num_inputs // num_inputs)
        return GateRows(self.batches[::step])


def make_gate_rows(model: Model, *, count: int, texts: Sequence[str] = ()) -> GateRows:
    """Make rows of 1 token to the longest that the model reads, and beyond where its positions allow it.

    Args:
        model: gives the tokenizer and the layout.
        count: at least so many rows.
        texts: what they are made of; none for made-up passages.
    """
    random = np.random.default_rng(20)
    longest = min(model.checkpoint.max_tokens, _USUAL_LONGEST)
    passages = _Passages(model, count, texts)
    lengths = np.exp(random.uniform(0, np.log(longest), count)).astype(np.int64)
    lengths[: count // 20] = longest  # the end of the range is where positions go wrong
    beyond = [int(longest * part) for part in _BEYOND] if _reads_beyond(model.checkpoint) else []
    writer = _RowWriter(model, passages, random, longest=max([longest, *beyond]))
    rows = [writer.row(length) for length in random.permutation(lengths).tolist()]
    alone = [*map(writer.row, beyond), *writer.tiny_rows()]
    return GateRows((*_batches(rows), *((row,) for row in alone)))


def _reads_beyond(checkpoint: Checkpoint) -> bool:
    """Tell whether nothing but training bounds the row: no table of absolute positions."""
    encoder = encoder_config_of(checkpoint.config)
    family = encoder.get("model_type")
    knows_distances_only = family == "deberta-v2" and encoder.get("position_biased_input") is False
    return knows_distances_only or family == "modernbert"


def _batches(rows: Sequence[TokenSequence]) -> Iterator[tuple[TokenSequence, ...]]:
    """Cut rows into batches of changing size whose rows differ in length, within a budget of tokens."""
    sizes = cycle(_BATCH_SIZES)
    batch: list[TokenSequence] = []
    size = next(sizes)
    for row in rows:
        longest = max(map(len, [row, *batch]))
        if batch and (len(batch) >= size or longest * (len(batch) + 1) > _BATCH_TOKENS):
            yield tuple(batch)
            batch, size = [], next(sizes)
        batch.append(row)
    if batch:
        yield tuple(batch)


class _Passages:
    """Encoded texts and statements, taken in turn; long ones are joined from several."""

    def __init__(self, model: Model, count: int, texts: Sequence[str]) -> None:
        if texts:
            pairs = [(text, texts[(place * 7 + 1) % len(texts)]) for place, text in enumerate(texts)]
        else:
            pairs = list(make_passages(min(count, 400)))
        self._firsts = _nonempty(model, [first for first, _ in pairs])
        self._seconds = _nonempty(model, [second for _, second in pairs])
        self.labels = _nonempty(model, list(LABELS))
        self._place = 0

    def pair(self, num_first: int, num_second: int) -> tuple[Ids, Ids]:
        """Return the next two texts, cut or joined to so many tokens."""
        self._place += 1
        return self._taken(self._firsts, num_first), self._taken(self._seconds, num_second)

    def statement_tokens(self) -> int:
        """Return how many tokens the next statement has."""
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
    """Writes rows of wished lengths in one or both of a model's layouts."""

    def __init__(
        self, model: Model, passages: _Passages, random: np.random.Generator, *, longest: int
    ) -> None:
        self._passages = passages
        self._random = random
        # A row may be longer than what the model was trained on: that is tried, too.
        layout: Any = replace(model.layout, max_tokens=longest)
        self._pairs: PairLayout | None = layout if isinstance(layout, PairLayout) else None
        self._labels: Any = None if self._pairs else layout  # a JointLayout, or that of isolated labels
        if isinstance(model.checkpoint.head, MultitaskHead) and self._pairs is not None:
            self._labels = IsolatedLabelsLayout.beside(self._pairs)
        self._longest = longest

    def row(self, length: int) -> TokenSequence:
        """Return a row of about that length, never longer than the longest."""
        if self._pairs is None or (self._labels is not None and self._random.random() < 0.5):
            return self._label_row(length)
        return self._pair_row(self._pairs, length)

    def tiny_rows(self) -> list[TokenSequence]:
        """Return rows of 1, 2 and 3 tokens, shorter than any layout; joint models have none."""
        if self._pairs is None:
            return []
        text, _ = self._passages.pair(max(_TINY), 1)
        end = np.array([self._pairs.suffix[-1]], dtype=np.int64)
        rows = (np.concatenate([text[: length - 1], end]) for length in _TINY)
        types = self._pairs.has_token_types
        return [TokenSequence(ids, token_types=np.zeros_like(ids) if types else None) for ids in rows]

    def _pair_row(self, layout: PairLayout, length: int) -> TokenSequence:
        room = max(2, min(length, self._longest) - layout.num_control_tokens)
        second = min(max(1, room // 2), self._passages.statement_tokens())
        return layout.assemble(*self._passages.pair(room - second, second))

    def _label_row(self, length: int) -> TokenSequence:
        assert self._labels is not None
        number = int(self._random.integers(1, _MOST_LABELS + 1))
        places = self._random.permutation(len(self._passages.labels))[:number].tolist()
        chosen = [self._passages.labels[place] for place in places]
        fixed = self._labels.num_fixed_tokens
        while len(chosen) > 1 and fixed + _cost(chosen) + 2 > min(length, self._longest):
            chosen.pop()
        chosen = [ids[: max(1, self._longest - fixed - 3)] for ids in chosen]
        text, _ = self._passages.pair(max(1, min(length, self._longest) - fixed - _cost(chosen)), 1)
        row: TokenSequence = self._labels.assemble(text, chosen)
        return row


def _cost(labels: Sequence[Ids]) -> int:
    return sum(len(ids) + 1 for ids in labels)

"""The label task of a run: its texts as ids, and a step's rows with freshly drawn labels."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from labelwise.text.isolated_labels import IsolatedLabelsLayout
from labelwise.text.sequence import TokenSequence
from labelwise.text.tokenizer import TextTokenizer
from labelwise.training.multitask.batches import Batch, label_batch
from labelwise.training.multitask.label_draws import draw_labels
from labelwise.training.multitask.label_rows import SourceRows
from labelwise.training.multitask.plan import Step
from labelwise.training.multitask.recipe import MultitaskHyperparameters
from labelwise.training.multitask.similarity import token_rarities

__all__ = ["LabelTask", "snippet"]

Ids = NDArray[np.int64]
_MIN_SNIPPET_TOKENS = 4


@dataclass(slots=True)
class LabelTask:
    """Texts of all sources end to end, each as often as its source repeats.

    Attributes:
        sources: the rows.
        tokenizer: encodes texts and labels alone.
        layout: joins them.
        chosen: limits.
        seed: of the draws.
    """

    sources: Sequence[SourceRows]
    tokenizer: TextTokenizer
    layout: IsolatedLabelsLayout
    chosen: MultitaskHyperparameters
    seed: int
    _places: list[tuple[int, int]] = field(init=False)
    _texts: list[list[Ids]] = field(init=False)
    _foreign: list[str] = field(init=False)
    _label_ids: dict[str, Ids] = field(init=False, default_factory=dict)
    _sentence_ends: Ids = field(init=False)

    def __post_init__(self) -> None:
        self._sentence_ends = np.concatenate([self._ids_of(mark) for mark in ".!?"])
        most = 2 * self.chosen.max_text_tokens
        self._texts = [
            [encoded.ids[:most] for encoded in self.tokenizer.encode_many([row.text for row in found.rows])]
            for found in self.sources
        ]
        self._places = [
            (number, row)
            for number, found in enumerate(self.sources)
            for row in list(range(len(found.rows))) * found.source.repeats
        ]
        # Statements and hypotheses are true of too many texts to be drawn as false ones.
        self._foreign = [
            label
            for found in self.sources
            if found.source.kind in ("texts", "judged")
            for label in (found.label_set or [label for row in found.rows for label in row.labels])
        ]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Text tokens of each row, as most steps cut them."""
        most = self.chosen.max_text_tokens
        return np.array([min(len(self._texts[number][row]), most) for number, row in self._places])

    @property
    def rarities(self) -> NDArray[np.float32]:
        """Inverse document frequencies of all tokens over the sources' texts."""
        return token_rarities(
            (ids for texts in self._texts for ids in texts),
            vocab_size=self.tokenizer.vocab_size,
            control_ids=self.tokenizer.control.ids,
        )

    def batch(self, step: Step) -> Batch:
        """Return a step's rows; the same step gives the same draws."""
        generator = random.Random(f"labels:{self.seed}:{step.number}")
        most = self.chosen.max_text_tokens
        if generator.random() < self.chosen.long_text_share:
            most *= 2
        rows, truths = [], []
        for place in step.rows:
            number, at = self._places[place]
            row, truth = self._row(number, at, most, generator)
            rows.append(row)
            truths.append(truth)
        return label_batch(rows, truths, pad_token_id=self.tokenizer.control.pad or 0)

    def _row(
        self, number: int, at: int, most: int, generator: random.Random
    ) -> tuple[TokenSequence, list[bool]]:
        found = self.sources[number]
        draw = draw_labels(found, found.rows[at], self._foreign, generator)
        labels = [self._ids_of(label) for label in draw.labels]
        costs = np.cumsum([len(label) + 1 for label in labels])
        # At least one label whatever its length; those that do not fit are left out of this draw.
        num_kept = max(1, int((costs <= self.chosen.max_row_label_tokens).sum()))
        text = self._texts[number][at]
        if generator.random() < found.source.snippet_share:
            text = snippet(text, self._sentence_ends, generator)
        row = self.layout.assemble(text[:most], labels[:num_kept])
        return row, list(draw.is_true[:num_kept])

    def _ids_of(self, label: str) -> Ids:
        if label not in self._label_ids:
            (encoded,) = self.tokenizer.encode_many([label])
            self._label_ids[label] = encoded.ids[: self.chosen.max_label_tokens]
        return self._label_ids[label]


def snippet(text: Ids, sentence_ends: Ids, generator: random.Random) -> Ids:
    """Return one or two neighbouring sentences of a text, at least four tokens; all of a short text."""
    ends = np.flatnonzero(np.isin(text, sentence_ends)) + 1
    bounds = np.unique(np.concatenate([[0], ends, [len(text)]]))
    if len(bounds) <= 2:
        return text
    first = generator.randrange(len(bounds) - 1)
    last = min(first + generator.randint(1, 2), len(bounds) - 1)
    chosen = text[bounds[first] : bounds[last]]
    return chosen if len(chosen) >= _MIN_SNIPPET_TOKENS else text

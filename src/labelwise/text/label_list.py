"""GliZNet's row: ``[CLS] text [SEP] l1 [LAB] l2 [LAB] ...``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import TextTooLongError
from labelwise.text.sequence import TokenSequence

__all__ = ["LabelBudget", "LabelListLayout"]

Ids = NDArray[np.int64]
_NUM_FIXED_TOKENS = 2  # [CLS] and [SEP]


@dataclass(frozen=True, slots=True)
class LabelBudget:
    """How the published tokenizer cuts a text and labels that do not fit; labelwise itself cuts neither.

    Attributes:
        max_tokens: the row's limit (``model_max_length``).
        max_tokens_per_span: the most tokens of a label.
        min_text_tokens: tokens that the text keeps when labels crowd it out.
        min_label_tokens: tokens that every label keeps.
    """

    max_tokens: int = 512
    max_tokens_per_span: int = 64
    min_text_tokens: int = 10
    min_label_tokens: int = 2

    def kept(self, num_text_tokens: int, label_lengths: Sequence[int]) -> tuple[int, tuple[int, ...]]:
        """Return how many leading tokens of the text and of each label are kept.

        Step 1 leaves the text whole and shares what is left among the labels by their lengths, each keeping
        at least ``min_label_tokens``; what a label does not use is not given to others. Step 2, when that
        cannot be, cuts every label to the minimum and the text to what remains. The row may still be too
        long then, and is cut at its end.
        """
        text = min(num_text_tokens, self.max_tokens)
        labels = [min(length, self.max_tokens_per_span) for length in label_lengths]
        num_labels, room = len(labels), self.max_tokens - _NUM_FIXED_TOKENS
        if text + sum(labels) + num_labels <= room:
            return text, tuple(labels)
        least = num_labels * self.min_label_tokens
        budget = room - text - num_labels
        if num_labels and budget >= least:
            spare, total = budget - least, sum(labels)
            shares = [self.min_label_tokens + spare * length // total for length in labels]
            return text, tuple(map(min, labels, shares))
        text_room = max(room - least - num_labels, self.min_text_tokens if num_labels else 0)
        return min(text, text_room), tuple(min(length, self.min_label_tokens) for length in labels)


@dataclass(frozen=True, slots=True)
class LabelListLayout:
    """Text first, then the labels, each ended by ``[LAB]``, where its vector stands.

    Attributes:
        cls: id of ``[CLS]``.
        sep: id of ``[SEP]``.
        lab: id of ``[LAB]``.
        max_tokens: the most tokens in a row.
        max_labels: the most labels in a row.
        min_text_tokens: the least room that a row must leave for the text.
    """

    cls: int
    sep: int
    lab: int
    max_tokens: int
    max_labels: int
    min_text_tokens: int

    @property
    def num_fixed_tokens(self) -> int:
        """Control tokens of every row, whatever the number of labels."""
        return _NUM_FIXED_TOKENS

    def assemble(self, text_ids: Ids, label_ids: Sequence[Ids]) -> TokenSequence:
        """Join the ids; ``[CLS]`` and ``[SEP]`` count as text, as published.

        Raises:
            TextTooLongError: the row would pass ``max_tokens``.
        """
        row = self._row(text_ids, label_ids)
        if len(row) > self.max_tokens:
            raise TextTooLongError(
                f"text and labels take {len(row)} tokens, the model reads {self.max_tokens}: split them"
            )
        return row

    def assemble_published(
        self, text_ids: Ids, label_ids: Sequence[Ids], budget: LabelBudget
    ) -> tuple[Ids, Ids]:
        """Return ids and lmask exactly as the published tokenizer gives them, with its cuts.

        lmask is k on the tokens of the k-th label, from 1, and 0 elsewhere. Labels beyond the row's end are
        lost, which is why `assemble` is what inference uses.
        """
        num_text, num_label = budget.kept(len(text_ids), [len(label) for label in label_ids])
        kept = [label[:count] for label, count in zip(label_ids, num_label, strict=True)]
        row = self._row(text_ids[:num_text], kept)
        marks = np.zeros(len(row), dtype=np.int64)
        assert row.label_positions is not None
        for number, (position, label) in enumerate(zip(row.label_positions, kept, strict=True), start=1):
            marks[position - len(label) : position] = number
        return row.ids[: budget.max_tokens], marks[: budget.max_tokens]

    def _row(self, text_ids: Ids, label_ids: Sequence[Ids]) -> TokenSequence:
        lab = np.array([self.lab], dtype=np.int64)
        ends = [np.concatenate([label, lab]) for label in label_ids]
        head = np.concatenate([[self.cls], text_ids, [self.sep]]).astype(np.int64)
        ids = np.concatenate([head, *ends])
        lengths = np.array([len(end) for end in ends], dtype=np.int64)
        return TokenSequence(
            ids,
            label_positions=len(head) - 1 + np.cumsum(lengths),
            text_mask=np.arange(len(ids)) < len(head),
        )

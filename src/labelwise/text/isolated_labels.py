"""The multi-task model's row of a text with its labels, each label blind to the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import TextTooLongError
from labelwise.text.pair import PairLayout
from labelwise.text.sequence import TokenSequence

__all__ = ["IsolatedLabelsLayout"]

Ids = NDArray[np.int64]
_NUM_FIXED_TOKENS = 2  # [CLS] and the text's [SEP]


@dataclass(frozen=True, slots=True)
class IsolatedLabelsLayout:
    """``[CLS] text [SEP]`` once, then ``label [SEP]`` for each label, as if it alone followed the text.

    Every label has its own segment, counts its positions on from the end of the text, and has its vector at
    its ``[SEP]``. So a label's score depends on the text and on itself, and labels may be spread over any
    number of rows.

    Attributes:
        cls: id of ``[CLS]``.
        sep: id of ``[SEP]``.
        max_tokens: the most positions: a text with one label beside it.
    """

    cls: int
    sep: int
    max_tokens: int

    @classmethod
    def beside(cls, pairs: PairLayout) -> IsolatedLabelsLayout:
        """Return the label layout of a model whose pairs have this layout."""
        return cls(pairs.prefix[0], pairs.suffix[0], pairs.max_tokens)

    @property
    def num_fixed_tokens(self) -> int:
        """Control tokens of every row, whatever the number of labels."""
        return _NUM_FIXED_TOKENS

    def assemble(self, text_ids: Ids, label_ids: Sequence[Ids]) -> TokenSequence:
        """Join the ids of a text and of some labels into one row.

        Raises:
            TextTooLongError: the text and its longest label take more than ``max_tokens`` positions.
        """
        lengths = np.array([len(label) + 1 for label in label_ids], dtype=np.int64)
        start = len(text_ids) + _NUM_FIXED_TOKENS
        taken = start + int(lengths.max(initial=0))
        if taken > self.max_tokens:
            raise TextTooLongError(
                f"a text and one of its labels take {taken} tokens, the model reads {self.max_tokens}: split "
                "the text or shorten the label"
            )
        sep = np.array([self.sep], dtype=np.int64)
        parts = [np.array([self.cls], dtype=np.int64), text_ids, sep]
        for label in label_ids:
            parts += [label, sep]
        own_places = [np.arange(start, start + length) for length in lengths]
        return TokenSequence(
            np.concatenate(parts).astype(np.int64),
            token_types=np.repeat([0, 1], [start, lengths.sum()]),
            label_positions=start - 1 + np.cumsum(lengths),
            segment_ids=np.repeat(np.arange(len(lengths) + 1), [start, *lengths]),
            position_ids=np.concatenate([np.arange(start), *own_places]),
        )

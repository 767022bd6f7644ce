"""GLiClass's row: ``[CLS] <<LABEL>>l1<<LABEL>>l2 ... <<SEP>>text [SEP]``, or the text before the labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import TextTooLongError
from labelwise.text.sequence import TokenSequence

__all__ = ["LabelPromptLayout"]

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LabelPromptLayout:
    """Every label begins with ``<<LABEL>>``, where its vector stands; ``<<SEP>>`` ends the labels.

    The ids of the parts are those of the package's whole string: added tokens cut a string into pieces that
    are tokenised one by one.

    Attributes:
        prefix: id of ``[CLS]``, empty where the tokenizer has none.
        suffix: id of ``[SEP]``, empty where the tokenizer has none.
        label: id of ``<<LABEL>>``.
        text: id of ``<<SEP>>``.
        is_prompt_first: whether the labels stand before the text.
        max_tokens: the most tokens in a row.
        max_labels: the most labels in a row.
        min_text_tokens: the least room that a row must leave for the text.
    """

    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    label: int
    text: int
    is_prompt_first: bool
    max_tokens: int
    max_labels: int
    min_text_tokens: int

    @property
    def num_fixed_tokens(self) -> int:
        """Control tokens of every row, whatever the number of labels."""
        return len(self.prefix) + len(self.suffix) + 1

    def assemble(self, text_ids: Ids, label_ids: Sequence[Ids]) -> TokenSequence:
        """Join the ids; ``text_mask`` marks the text's own tokens.

        Raises:
            TextTooLongError: the row would pass ``max_tokens``.
        """
        mark = np.array([self.label], dtype=np.int64)
        prompt = np.concatenate([*(part for label in label_ids for part in (mark, label)), [self.text]])
        parts = (prompt, text_ids) if self.is_prompt_first else (text_ids, prompt)
        ids = np.concatenate([self.prefix, *parts, self.suffix]).astype(np.int64)
        if len(ids) > self.max_tokens:
            raise TextTooLongError(
                f"text and labels take {len(ids)} tokens, the model reads {self.max_tokens}: split them"
            )
        prompt_start = len(self.prefix) + (0 if self.is_prompt_first else len(text_ids))
        text_start = len(self.prefix) + (len(prompt) if self.is_prompt_first else 0)
        lengths = np.array([len(label) + 1 for label in label_ids], dtype=np.int64)
        places = np.arange(len(ids))
        return TokenSequence(
            ids,
            label_positions=prompt_start + np.cumsum(lengths) - lengths,
            text_mask=(places >= text_start) & (places < text_start + len(text_ids)),
        )

"""The entailment task of a run: the pairs of an NLI recipe."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from labelwise.text.sequence import TokenSequence
from labelwise.training.encoding import EncodedPairs
from labelwise.training.multitask.batches import Batch, pad_rows
from labelwise.training.multitask.plan import Step

__all__ = ["EntailTask"]


@dataclass(frozen=True, slots=True)
class EntailTask:
    """Encoded pairs, and which row of the model each is."""

    pairs: EncodedPairs
    pad_token_id: int

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each pair."""
        return self.pairs.lengths

    def batch(self, step: Step) -> Batch:
        """Return a step's rows with ``targets``, which index ``PAIR_LABELS``, shape (rows,)."""
        rows = [
            TokenSequence(pair["input_ids"].astype(np.int64), pair["token_type_ids"].astype(np.int64))
            for pair in (self.pairs[int(place)] for place in step.rows)
        ]
        targets = torch.from_numpy(self.pairs.labels[step.rows])
        return {**pad_rows(rows, pad_token_id=self.pad_token_id), "targets": targets}

"""Score (premise, hypothesis) pairs: one batch plan for everything that a call asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelwise.backends.base import Backend
from labelwise.batching import plan_batches
from labelwise.errors import TextTooLongError
from labelwise.scores import check_finite
from labelwise.text.pair import PairLayout
from labelwise.text.tokenizer import EncodedText, TextTokenizer
from labelwise.windows import Window

__all__ = ["MIN_ROOM", "OnProgress", "PairRow", "PairScorer"]

OnProgress = Callable[[int, int], None]

# A window with less room than this for the text says nothing about it.
MIN_ROOM = 8


@dataclass(frozen=True, slots=True)
class PairRow:
    """One row for the model: a window of a premise with a whole hypothesis, both named by their place."""

    premise: int
    window: Window
    hypothesis: int


@dataclass(frozen=True, slots=True)
class PairScorer:
    """Runs pairs through a sequence-classification model.

    Attributes:
        tokenizer: encodes each text alone, so that texts never make control tokens.
        layout: adds the control tokens.
        backend: the model.
        batch_tokens: the most tokens in one padded batch.
    """

    tokenizer: TextTokenizer
    layout: PairLayout
    backend: Backend
    batch_tokens: int

    def room(self, num_hypothesis_tokens: int, *, name: str) -> int:
        """Return how many premise tokens fit beside a hypothesis.

        Raises:
            TextTooLongError: the hypothesis fills the window.
        """
        room = self.layout.max_tokens - self.layout.num_control_tokens - num_hypothesis_tokens
        if room < MIN_ROOM:
            raise TextTooLongError(
                f"{name} has {num_hypothesis_tokens} tokens, which leaves no room for the text in a window "
                f"of {self.layout.max_tokens} tokens; shorten it"
            )
        return room

    def logits(
        self,
        premises: Sequence[EncodedText],
        hypotheses: Sequence[EncodedText],
        rows: Sequence[PairRow],
        *,
        on_progress: OnProgress | None = None,
    ) -> NDArray[np.float32]:
        """Return the logits of each row, shape (rows, classes), in the order of ``rows``.

        Rows are batched by length over the whole call. ``on_progress`` is told (rows done, rows in all).
        """
        lengths = [
            len(row.window) + len(hypotheses[row.hypothesis]) + self.layout.num_control_tokens for row in rows
        ]
        logits: NDArray[np.float32] | None = None
        num_done = 0
        for batch in plan_batches(lengths, max_tokens=self.batch_tokens):
            sequences = [
                self.layout.assemble(
                    premises[row.premise].ids[row.window.start : row.window.end],
                    hypotheses[row.hypothesis].ids,
                )
                for row in (rows[place] for place in batch)
            ]
            (batch_logits,) = self.backend.run(sequences)
            check_finite(batch_logits, name="the model's logits")
            if logits is None:
                logits = np.empty((len(rows), batch_logits.shape[1]), dtype=np.float32)
            logits[batch] = batch_logits
            num_done += len(batch)
            if on_progress is not None:
                on_progress(num_done, len(rows))
        return np.empty((0, 0), dtype=np.float32) if logits is None else logits

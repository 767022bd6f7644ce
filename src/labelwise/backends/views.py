"""One head of a model that has several, as a backend of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelwise.backends.base import Backend
from labelwise.text.sequence import TokenSequence

__all__ = ["HeadView"]


@dataclass(frozen=True, slots=True)
class HeadView:
    """Runs a multi-task model and returns the outputs of one of its heads.

    Attributes:
        backend: runs the model.
        outputs: names of the outputs that are computed and returned; see `labelwise.backends.heads`.
    """

    backend: Backend
    outputs: tuple[str, ...]

    @classmethod
    def for_labels(cls, backend: Backend) -> HeadView:
        """Look at the label head: one array, shape (rows, most labels)."""
        return cls(backend, ("label_logits",))

    @classmethod
    def for_pairs(cls, backend: Backend) -> HeadView:
        """Look at the entailment head: one array, shape (rows, classes)."""
        return cls(backend, ("entail_logits",))

    @classmethod
    def for_answers(cls, backend: Backend) -> HeadView:
        """Look at the reader: start and end logits, each of shape (rows, longest)."""
        return cls(backend, ("start_logits", "end_logits"))

    @property
    def name(self) -> str:
        """Which runtime it is."""
        return self.backend.name

    def run(
        self, sequences: Sequence[TokenSequence], *, outputs: Sequence[str] | None = None
    ) -> tuple[NDArray[np.float32], ...]:
        """Return the head's logits; see `labelwise.backends.base.Backend.run`."""
        return self.backend.run(sequences, outputs=self.outputs if outputs is None else outputs)

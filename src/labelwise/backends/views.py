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
        outputs: which of its outputs are returned, by their places.
    """

    backend: Backend
    outputs: tuple[int, ...]

    @classmethod
    def for_labels(cls, backend: Backend) -> HeadView:
        """Look at the label head: one array, shape (rows, most labels)."""
        return cls(backend, (0,))

    @classmethod
    def for_pairs(cls, backend: Backend) -> HeadView:
        """Look at the entailment head: one array, shape (rows, classes)."""
        return cls(backend, (1,))

    @classmethod
    def for_answers(cls, backend: Backend) -> HeadView:
        """Look at the reader: start and end logits, each of shape (rows, longest)."""
        return cls(backend, (2, 3))

    @property
    def name(self) -> str:
        """Which runtime it is."""
        return self.backend.name

    def run(self, sequences: Sequence[TokenSequence]) -> tuple[NDArray[np.float32], ...]:
        """Return the head's logits; see `labelwise.backends.base.Backend.run`."""
        found = self.backend.run(sequences)
        return tuple(found[place] for place in self.outputs)

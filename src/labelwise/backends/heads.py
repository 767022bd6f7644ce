"""What a network must return for each head, and the check that it did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.heads import NliHead
from labelwise.errors import BackendError

__all__ = ["HeadOutputs"]

HeadKind = Literal["sequence-classification", "question-answering"]


@dataclass(frozen=True, slots=True)
class HeadOutputs:
    """The outputs of one head: their names, and how many classes there are (None for a reader)."""

    kind: HeadKind
    num_classes: int | None

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> HeadOutputs:
        """Return the outputs that a checkpoint's head has."""
        if isinstance(checkpoint.head, NliHead):
            return cls("sequence-classification", checkpoint.head.num_classes)
        return cls("question-answering", None)

    @property
    def names(self) -> tuple[str, ...]:
        """The outputs' names, in the order in which a backend returns them."""
        return ("logits",) if self.num_classes is not None else ("start_logits", "end_logits")

    def empty(self) -> tuple[NDArray[np.float32], ...]:
        """Return what a batch without rows gives."""
        return tuple(np.zeros((0, self.num_classes or 0), dtype=np.float32) for _ in self.names)

    def checked(
        self, outputs: Sequence[NDArray[Any]], attention_mask: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], ...]:
        """Return a network's outputs as float32, with a reader's padding at minus infinity.

        Args:
            outputs: In the order of ``names``.
            attention_mask: Shape (rows, longest), 1 for a row's own tokens.

        Raises:
            BackendError: an output has another shape, or a number that is not finite.
        """
        return tuple(
            self._checked(name, np.asarray(values, dtype=np.float32), attention_mask)
            for name, values in zip(self.names, outputs, strict=True)
        )

    def _checked(
        self, name: str, values: NDArray[np.float32], attention_mask: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        rows, longest = attention_mask.shape
        expected = (rows, longest if self.num_classes is None else self.num_classes)
        if values.shape != expected:
            raise BackendError(
                f"the network's output {name!r} has shape {values.shape} where {expected} was expected: "
                "its weights do not belong to its config.json"
            )
        if self.num_classes is None:
            own_tokens = attention_mask == 1
            _refuse_not_finite(name, values[own_tokens])
            return np.where(own_tokens, values, np.float32(-np.inf))
        _refuse_not_finite(name, values)
        return values


def _refuse_not_finite(name: str, values: NDArray[np.float32]) -> None:
    if not np.isfinite(values).all():
        raise BackendError(
            f"the network's output {name!r} holds a number that is not finite: run it in float32 "
            "(dtype='float32'), or check that its weights are whole"
        )

"""What a network must return for each head, and the check that it did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from labelwise.backends.pad import PaddedBatch
from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.heads import NliHead
from labelwise.checkpoints.joint_heads import JointHead
from labelwise.errors import BackendError

__all__ = ["HeadOutputs"]

HeadKind = Literal["sequence-classification", "question-answering", "joint-labels"]


@dataclass(frozen=True, slots=True)
class HeadOutputs:
    """The outputs of one head: their names, and how many classes there are (None where a row tells)."""

    kind: HeadKind
    num_classes: int | None

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> HeadOutputs:
        """Return the outputs that a checkpoint's head has."""
        if isinstance(checkpoint.head, NliHead):
            return cls("sequence-classification", checkpoint.head.num_classes)
        if isinstance(checkpoint.head, JointHead):
            return cls("joint-labels", None)
        return cls("question-answering", None)

    @property
    def names(self) -> tuple[str, ...]:
        """The outputs' names, in the order in which a backend returns them."""
        return ("start_logits", "end_logits") if self.kind == "question-answering" else ("logits",)

    def empty(self) -> tuple[NDArray[np.float32], ...]:
        """Return what a batch without rows gives."""
        return tuple(np.zeros((0, self.num_classes or 0), dtype=np.float32) for _ in self.names)

    def checked(self, outputs: Sequence[NDArray[Any]], batch: PaddedBatch) -> tuple[NDArray[np.float32], ...]:
        """Return a network's outputs as float32, with padded tokens or labels at minus infinity.

        Args:
            outputs: In the order of ``names``.
            batch: What the network was given.

        Raises:
            BackendError: an output has another shape, or a number that is not finite.
        """
        return tuple(
            self._checked(name, np.asarray(values, dtype=np.float32), self._is_real(batch))
            for name, values in zip(self.names, outputs, strict=True)
        )

    def _is_real(self, batch: PaddedBatch) -> NDArray[np.bool_]:
        """Tell which places of an output are a row's own."""
        if self.kind == "question-answering":
            return np.equal(batch.attention_mask, 1)
        if self.kind == "joint-labels":
            return np.greater_equal(batch.label_positions, 0)
        return np.ones((len(batch.input_ids), self.num_classes or 0), dtype=np.bool_)

    def _checked(
        self, name: str, values: NDArray[np.float32], is_real: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        if values.shape != is_real.shape:
            raise BackendError(
                f"the network's output {name!r} has shape {values.shape} where {is_real.shape} was expected: "
                "its weights do not belong to its config.json"
            )
        _refuse_not_finite(name, values[is_real])
        return np.where(is_real, values, np.float32(-np.inf))


def _refuse_not_finite(name: str, values: NDArray[np.float32]) -> None:
    if not np.isfinite(values).all():
        raise BackendError(
            f"the network's output {name!r} holds a number that is not finite: run it in float32 "
            "(dtype='float32'), or check that its weights are whole"
        )

"""What a network must return for each head, and the check that it did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from labelwise.backends.pad import PaddedBatch
from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.heads import MultitaskHead, NliHead
from labelwise.checkpoints.joint_heads import JointHead
from labelwise.errors import BackendError

__all__ = ["HeadOutputs"]

HeadKind = Literal["sequence-classification", "question-answering", "joint-labels", "multitask"]
_Shape = Literal["classes", "tokens", "labels"]
# Each output's name, and what its second axis counts.
_OUTPUTS: dict[HeadKind, dict[str, _Shape]] = {
    "sequence-classification": {"logits": "classes"},
    "question-answering": {"start_logits": "tokens", "end_logits": "tokens"},
    "joint-labels": {"logits": "labels"},
    "multitask": {
        "label_logits": "labels",
        "entail_logits": "classes",
        "start_logits": "tokens",
        "end_logits": "tokens",
    },
}


@dataclass(frozen=True, slots=True)
class HeadOutputs:
    """The outputs of one head.

    Attributes:
        kind: which head.
        num_classes: how many classes there are; None where a row tells.
        wanted: the names of the outputs that are asked for; None for all.
    """

    kind: HeadKind
    num_classes: int | None
    wanted: tuple[str, ...] | None = None

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> HeadOutputs:
        """Return the outputs that a checkpoint's head has."""
        if isinstance(checkpoint.head, NliHead):
            return cls("sequence-classification", checkpoint.head.num_classes)
        if isinstance(checkpoint.head, MultitaskHead):
            return cls("multitask", checkpoint.head.entail.num_classes)
        if isinstance(checkpoint.head, JointHead):
            return cls("joint-labels", None)
        return cls("question-answering", None)

    @property
    def names(self) -> tuple[str, ...]:
        """The outputs' names, in the order in which a backend returns them."""
        return tuple(_OUTPUTS[self.kind]) if self.wanted is None else self.wanted

    def only(self, names: Sequence[str] | None) -> HeadOutputs:
        """Return the same head with some of its outputs, by name; None leaves it as it is."""
        return self if names is None else replace(self, wanted=tuple(names))

    def empty(self) -> tuple[NDArray[np.float32], ...]:
        """Return what a batch without rows gives."""
        widths = [self.num_classes or 0 if shape == "classes" else 0 for shape in self._shapes]
        return tuple(np.zeros((0, width), dtype=np.float32) for width in widths)

    def checked(self, outputs: Sequence[NDArray[Any]], batch: PaddedBatch) -> tuple[NDArray[np.float32], ...]:
        """Return a network's outputs as float32, with padded tokens or labels at minus infinity.

        Args:
            outputs: In the order of ``names``.
            batch: What the network was given.

        Raises:
            BackendError: an output has another shape, or a number that is not finite.
        """
        return tuple(
            _checked(name, np.asarray(values, dtype=np.float32), self._is_real(shape, batch))
            for name, shape, values in zip(self.names, self._shapes, outputs, strict=True)
        )

    def zeros(self, batch: PaddedBatch) -> tuple[NDArray[np.float32], ...]:
        """Return what a network that always says zero gives for a batch."""
        return tuple(
            np.where(self._is_real(shape, batch), np.float32(0), np.float32(-np.inf))
            for shape in self._shapes
        )

    @property
    def _shapes(self) -> tuple[_Shape, ...]:
        return tuple(_OUTPUTS[self.kind][name] for name in self.names)

    def _is_real(self, shape: _Shape, batch: PaddedBatch) -> NDArray[np.bool_]:
        """Tell which places of an output are a row's own."""
        if shape == "tokens":
            return np.equal(batch.attention_mask, 1)
        if shape == "labels":
            return np.greater_equal(batch.label_positions, 0)
        return np.ones((len(batch.input_ids), self.num_classes or 0), dtype=np.bool_)


def _checked(name: str, values: NDArray[np.float32], is_real: NDArray[np.bool_]) -> NDArray[np.float32]:
    if values.shape != is_real.shape:
        raise BackendError(
            f"the network's output {name!r} has shape {values.shape} where {is_real.shape} was expected: "
            "its weights do not belong to its config.json"
        )
    if not np.isfinite(values[is_real]).all():
        raise BackendError(
            f"the network's output {name!r} holds a number that is not finite: run it in float32 "
            "(dtype='float32'), or check that its weights are whole"
        )
    return np.where(is_real, values, np.float32(-np.inf))

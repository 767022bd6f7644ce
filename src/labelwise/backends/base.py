"""What every backend promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from labelwise.text.sequence import TokenSequence

__all__ = ["Backend"]


class Backend(Protocol):
    """Runs a checkpoint's network on one batch; safe to call from many threads at once."""

    @property
    def name(self) -> str:
        """Which runtime it is: "engine", "onnx", "openvino" or "torch"."""
        ...

    def run(
        self, sequences: Sequence[TokenSequence], *, outputs: Sequence[str] | None = None
    ) -> tuple[NDArray[np.float32], ...]:
        """Return the logits of one batch, in the order of its rows.

        Args:
            sequences: The rows, of any lengths; they are padded to the longest.
            outputs: Names of the head's outputs that are returned, in this order; the others need not be
                computed. None for all.

        Returns:
            Sequence classification: one array, shape (rows, classes). Question answering: start and end
            logits, each of shape (rows, longest), minus infinity beyond a row's end. Joint models: one array,
            shape (rows, most labels), minus infinity beyond a row's labels.

        Raises:
            BackendError: the runtime failed, or a logit is not finite.
        """
        ...

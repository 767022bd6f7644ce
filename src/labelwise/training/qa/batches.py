"""Windows as the Trainer takes them: laid out in order, padded per batch, judged by their spans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy
from torch.utils.data import Dataset

from labelwise.training.encoding import PadToLongest
from labelwise.training.qa.encoding import QaFeatures

__all__ = ["PadWindows", "WindowRows", "span_loss"]

# What stands for a window in "labels": first and last token of the answer, start and end of the context.
_NUMBERS_PER_WINDOW = 4


@dataclass(frozen=True, slots=True)
class WindowRows(Dataset[Mapping[str, Any]]):
    """Windows in the order in which a run reads them."""

    features: QaFeatures
    order: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, position: int) -> Mapping[str, Any]:
        window = int(self.order[position])
        features = self.features
        ids, token_types = features.row(window)
        numbers = (
            features.start_positions[window],
            features.end_positions[window],
            features.context_starts[window],
            features.context_ends[window],
        )
        return {"input_ids": ids, "token_type_ids": token_types, "labels": np.array(numbers, dtype=np.int64)}


class PadWindows:
    """Make one batch of tensors; ``labels`` have shape (rows, 4): answer span, context span."""

    def __init__(self, pad_id: int, *, with_type_ids: bool) -> None:
        self._pad = PadToLongest(pad_id, with_type_ids=with_type_ids)

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        """Return ids, mask and, if wanted, type ids of shape (rows, longest), and the labels."""
        batch = self._pad([{**row, "labels": 0} for row in rows])
        return {**batch, "labels": torch.from_numpy(np.stack([row["labels"] for row in rows]))}


def span_loss(
    outputs: Any, labels: torch.Tensor, num_items_in_batch: torch.Tensor | int | None = None
) -> torch.Tensor:
    """Return the mean of the start's and the end's cross-entropy; called by transformers' Trainer.

    Only the context's tokens and the first control token compete, as they do when a question is answered.

    Args:
        outputs: with start and end logits of shape (rows, longest).
        labels: shape (rows, 4), see ``PadWindows``.
        num_items_in_batch: the numbers in the labels of all batches of a step; None means this batch alone.
    """
    start_logits, end_logits = outputs["start_logits"].float(), outputs["end_logits"].float()
    places = torch.arange(start_logits.shape[1], device=labels.device)
    competes = (places >= labels[:, 2:3]) & (places < labels[:, 3:4]) | (places == 0)
    losses = [
        cross_entropy(logits.masked_fill(~competes, float("-inf")), target, reduction="sum")
        for logits, target in ((start_logits, labels[:, 0]), (end_logits, labels[:, 1]))
    ]
    num_windows = len(labels) if num_items_in_batch is None else num_items_in_batch / _NUMBERS_PER_WINDOW
    return (losses[0] + losses[1]) / (2 * num_windows)

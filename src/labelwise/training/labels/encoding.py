"""Examples as padded batches: ``[CLS] text [SEP] l1 [LAB] ...`` with lmask and targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from labelwise.models.losses import IGNORED
from labelwise.text.label_list import LabelBudget, LabelListLayout
from labelwise.text.tokenizer import TextTokenizer
from labelwise.training.labels.examples import Example, draw_example, evaluation_example, label_pool
from labelwise.training.labels.recipe import ExampleSettings
from labelwise.training.records import LabelledText

__all__ = ["DrawnExamples", "ExampleEncoder", "FixedExamples", "PadLabelRows", "epochs_order"]

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ExampleEncoder:
    """Turns an example into ids, lmask and targets, cut by the published two-step budget."""

    tokenizer: TextTokenizer
    layout: LabelListLayout
    budget: LabelBudget

    def encode(self, example: Example) -> dict[str, Ids]:
        """Return ``input_ids``, ``lmask`` of shape (tokens,) and ``labels`` of shape (labels that fit,)."""
        text, *labels = (part.ids for part in self.tokenizer.encode_many([example.text, *example.labels]))
        ids, marks = self.layout.assemble_published(text, labels, self.budget)
        fitting = int((ids == self.layout.lab).sum())
        targets = np.array(example.is_true[:fitting], dtype=np.int64)
        return {"input_ids": ids, "lmask": marks, "labels": targets}


class DrawnExamples(Dataset[Mapping[str, Ids]]):
    """The examples of all epochs, end to end in the order of training, each drawn when it is asked for."""

    def __init__(
        self,
        rows: Sequence[LabelledText],
        order: Sequence[tuple[int, int]],
        *,
        encoder: ExampleEncoder,
        settings: ExampleSettings,
        seed: int,
    ) -> None:
        self._rows = rows
        self._order = order
        self._pool = label_pool(rows)
        self._encoder = encoder
        self._settings = settings
        self._seed = seed

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, position: int) -> Mapping[str, Ids]:
        epoch, number = self._order[position]
        example = draw_example(
            self._rows[number],
            self._pool,
            settings=self._settings,
            seed=self._seed,
            epoch=epoch,
            number=number,
        )
        return self._encoder.encode(example)


class FixedExamples(Dataset[Mapping[str, Ids]]):
    """The examples of a validation set: encoded once, the same at every evaluation."""

    def __init__(
        self, rows: Sequence[LabelledText], *, encoder: ExampleEncoder, settings: ExampleSettings
    ) -> None:
        examples = [evaluation_example(row, settings=settings) for row in rows]
        self._encoded = [encoder.encode(example) for example in examples]
        self.labels = [
            example.labels[: len(encoded["labels"])]
            for example, encoded in zip(examples, self._encoded, strict=True)
        ]
        self.num_labels_left_out = sum(len(row.labels) + len(row.not_labels) for row in rows) - sum(
            map(len, self.labels)
        )

    def __len__(self) -> int:
        return len(self._encoded)

    def __getitem__(self, position: int) -> Mapping[str, Ids]:
        return self._encoded[position]


class PadLabelRows:
    """Make one batch of tensors, padded to its longest row and its largest label set."""

    def __init__(self, pad_id: int) -> None:
        self._pad_id = pad_id

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        """Return ids, mask and lmask of shape (rows, tokens) and labels of shape (rows, labels)."""
        ids = [row["input_ids"] for row in rows]
        return {
            "input_ids": _padded(ids, self._pad_id),
            "attention_mask": _padded([np.ones_like(row) for row in ids], 0),
            "lmask": _padded([row["lmask"] for row in rows], 0),
            "labels": _padded([row["labels"] for row in rows], IGNORED),
        }


def epochs_order(num_rows: int, *, epochs: int, seed: int) -> list[tuple[int, int]]:
    """Return (epoch, row number) of every example of a run, each epoch in an order of its own."""
    order: list[tuple[int, int]] = []
    for epoch in range(epochs):
        shuffled = np.random.default_rng([seed, epoch]).permutation(num_rows)
        order += [(epoch, number) for number in shuffled.tolist()]
    return order


def _padded(rows: Sequence[Ids], value: int) -> torch.Tensor:
    table = np.full((len(rows), max(map(len, rows))), value, dtype=np.int64)
    for line, row in zip(table, rows, strict=True):
        line[: len(row)] = row
    return torch.from_numpy(table)

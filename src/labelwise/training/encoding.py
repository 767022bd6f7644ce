"""Pairs as token ids: encoded once, kept flat, ordered by length, padded per batch."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from labelwise.text.pair import PairLayout
from labelwise.text.sequence import TokenSequence
from labelwise.text.tokenizer import TextTokenizer
from labelwise.training.records import PAIR_LABELS, Pair

__all__ = ["EncodedPairs", "PadToLongest", "PairTokenizer", "encode_pairs", "length_grouped_order"]

CHUNK_PAIRS = 4096
GROUPED_BATCHES = 50


@dataclass(frozen=True, slots=True)
class EncodedPairs(Dataset[Mapping[str, Any]]):
    """Ids and type ids of all pairs end to end; ``starts`` has one more entry than there are pairs."""

    ids: NDArray[np.int32]
    type_ids: NDArray[np.int8]
    starts: NDArray[np.int64]
    labels: NDArray[np.int64]
    order: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, position: int) -> Mapping[str, Any]:
        row = self.order[position]
        part = slice(self.starts[row], self.starts[row + 1])
        return {
            "input_ids": self.ids[part],
            "token_type_ids": self.type_ids[part],
            "labels": self.labels[row],
        }

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The number of tokens of each pair, in the order of encoding."""
        return np.diff(self.starts)


@dataclass(frozen=True, slots=True)
class PairTokenizer:
    """A base's tokenizer, and its ``config.json``, which tells how its family joins two texts."""

    text: TextTokenizer
    config: Mapping[str, Any]


def encode_pairs(pairs: Sequence[Pair], tokenizer: PairTokenizer, *, max_tokens: int) -> EncodedPairs:
    """Encode pairs of at most ``max_tokens`` tokens, cutting the premise only.

    A hypothesis may fill half of the tokens; what is longer is cut too, so that no premise vanishes. Text
    that looks like a control token stays text: the rows are those that the verbs read.

    Raises:
        CheckpointError: how the base's family joins two texts is not known.
    """
    layout = PairLayout.for_model(tokenizer.config, tokenizer.text.control, max_tokens=max_tokens)
    rows: list[TokenSequence] = []
    for start in range(0, len(pairs), CHUNK_PAIRS):
        chunk = pairs[start : start + CHUNK_PAIRS]
        premises = _ids_of({pair.premise for pair in chunk}, tokenizer.text)
        hypotheses = _ids_of({pair.hypothesis for pair in chunk}, tokenizer.text)
        for pair in chunk:
            hypothesis = hypotheses[pair.hypothesis][: max_tokens // 2]
            room = max_tokens - layout.num_control_tokens - len(hypothesis)
            rows.append(layout.assemble(premises[pair.premise][:room], hypothesis))
    return EncodedPairs(
        ids=np.concatenate([row.ids for row in rows]).astype(np.int32),
        type_ids=np.concatenate([_type_ids(row) for row in rows]),
        starts=np.concatenate([[0], np.cumsum([len(row.ids) for row in rows])]).astype(np.int64),
        labels=np.array([PAIR_LABELS.index(pair.label) for pair in pairs], dtype=np.int64),
        order=np.arange(len(pairs), dtype=np.int64),
    )


def length_grouped_order(
    lengths: NDArray[np.int64], *, batch_size: int, epochs: int, seed: int
) -> NDArray[np.int64]:
    """Return the rows of all epochs: each batch holds rows of like length, batches come in random order.

    Rows are shuffled first and sorted only within groups of 50 batches, so that every epoch mixes anew.
    """
    generator = random.Random(seed)
    order: list[int] = []
    for _ in range(epochs):
        rows = list(range(len(lengths)))
        generator.shuffle(rows)
        batches = []
        for start in range(0, len(rows), GROUPED_BATCHES * batch_size):
            group = sorted(
                rows[start : start + GROUPED_BATCHES * batch_size], key=lambda row: int(lengths[row])
            )
            batches += [group[at : at + batch_size] for at in range(0, len(group), batch_size)]
        # A short batch anywhere but at the end would shift the borders of all batches after it.
        full = [batch for batch in batches if len(batch) == batch_size]
        rest = [row for batch in batches if len(batch) < batch_size for row in batch]
        generator.shuffle(full)
        order += [row for batch in full for row in batch] + rest
    return np.array(order, dtype=np.int64)


class PadToLongest:
    """Make one batch of tensors, padded to its longest row."""

    def __init__(self, pad_id: int, *, with_type_ids: bool) -> None:
        self._pad_id = pad_id
        self._with_type_ids = with_type_ids

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        """Return ids, mask and, if wanted, type ids of shape (rows, longest), and labels of shape (rows,)."""
        longest = max(len(row["input_ids"]) for row in rows)
        ids = torch.full((len(rows), longest), self._pad_id, dtype=torch.long)
        mask = torch.zeros_like(ids)
        type_ids = torch.zeros_like(ids)
        for at, row in enumerate(rows):
            length = len(row["input_ids"])
            ids[at, :length] = torch.from_numpy(row["input_ids"].astype(np.int64))
            type_ids[at, :length] = torch.from_numpy(row["token_type_ids"].astype(np.int64))
            mask[at, :length] = 1
        batch = {
            "input_ids": ids,
            "attention_mask": mask,
            "labels": torch.tensor([int(row["labels"]) for row in rows]),
        }
        return {**batch, "token_type_ids": type_ids} if self._with_type_ids else batch


def _ids_of(texts: Collection[str], tokenizer: TextTokenizer) -> dict[str, NDArray[np.int64]]:
    distinct = list(texts)
    return {
        text: encoded.ids for text, encoded in zip(distinct, tokenizer.encode_many(distinct), strict=True)
    }


def _type_ids(row: TokenSequence) -> NDArray[np.int8]:
    return np.zeros(len(row.ids), np.int8) if row.token_types is None else row.token_types.astype(np.int8)

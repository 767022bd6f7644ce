"""Rows of different lengths -> one packed batch: end to end, nothing between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelwise.engine.native import PackedBatch
from labelwise.text.sequence import TokenSequence

__all__ = ["PositionRule", "first_places", "pack"]

_ROBERTA_PAD_ID = 1


@dataclass(frozen=True, slots=True)
class PositionRule:
    """How a family counts positions: from 0, or past the padding id where ``counted_past`` names one."""

    counted_past: int | None = None

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> PositionRule:
        """Return the rule of a model."""
        if config.get("model_type") in ("bert", "deberta-v2"):
            return cls()
        pad_id = config.get("pad_token_id")
        return cls(_ROBERTA_PAD_ID if pad_id is None else int(pad_id))

    def positions(self, sequence: TokenSequence) -> NDArray[np.int64]:
        """Return the position of each token.

        RoBERTa counts the tokens that are not padding; a padding token stands at its own id.
        """
        if sequence.position_ids is not None:
            return sequence.position_ids
        if self.counted_past is None:
            return np.arange(len(sequence), dtype=np.int64)
        counts = (sequence.ids != self.counted_past).astype(np.int64)
        positions: NDArray[np.int64] = np.cumsum(counts) * counts + self.counted_past
        return positions


def first_places(sequences: Sequence[TokenSequence]) -> list[NDArray[np.int64]]:
    """Name each row's first token, for `pack`."""
    return [np.zeros(1, dtype=np.int64) for _ in sequences]


def pack(
    sequences: Sequence[TokenSequence],
    positions: PositionRule,
    *,
    kept: Sequence[NDArray[np.int64]] | None = None,
) -> PackedBatch:
    """Lay rows end to end.

    Args:
        sequences: At least one.
        positions: How the model counts them.
        kept: For each row, the places of the tokens whose last states are asked for, ascending; None for all.
    """
    offsets = np.zeros(len(sequences) + 1, dtype=np.int64)
    np.cumsum([len(row) for row in sequences], out=offsets[1:])
    return PackedBatch(
        offsets=offsets,
        ids=np.concatenate([row.ids for row in sequences]),
        positions=np.concatenate([positions.positions(row) for row in sequences]),
        types=_joined([row.token_types for row in sequences], sequences),
        segments=_joined([row.segment_ids for row in sequences], sequences),
        kept=None if kept is None else np.concatenate(kept) + np.repeat(offsets[:-1], list(map(len, kept))),
    )


def _joined(parts: list[NDArray[np.int64] | None], sequences: Sequence[TokenSequence]) -> NDArray[Any] | None:
    """Join what some rows may lack, for which zero stands."""
    if all(part is None for part in parts):
        return None
    return np.concatenate(
        [
            np.zeros(len(row), dtype=np.int64) if part is None else part
            for part, row in zip(parts, sequences, strict=True)
        ]
    )

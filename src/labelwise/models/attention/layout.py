"""Where each sequence stands in a packed batch, cut into the tiles of queries that one program handles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from labelwise.errors import InputError

__all__ = ["PackedLayout"]

_TILE_QUERIES = 32
_TILE_QUERIES_OF_FIRST = 16  # one query is wanted; 16 is the least that a matrix product takes


@dataclass(frozen=True, slots=True)
class PackedLayout:
    """Sequences packed end to end, and the tiles of queries to compute.

    A list of tiles, made once per batch, stands in for cumulative lengths: every program has work, however
    mixed the lengths are, while a grid over (longest sequence, batch) would start mostly idle ones.

    Raises:
        InputError: a length is below zero, or a tile does not have a power of two of at least 16 queries.

    >>> layout = PackedLayout.of([3, 0, 20], tile_queries=16)
    >>> layout.tiles.tolist()
    [[3, 23, 0, 3, 23], [19, 23, 16, 3, 23], [0, 3, 0, 0, 3]]
    """

    num_queries: int
    num_keys: int
    tile_queries: int
    tiles: Tensor
    """Int32 [tiles, 5], long sequences first: the tile's first query row, the end of its sequence's query
    rows, the place of that first query in its sequence, and the start and end of the sequence's key rows."""

    def __post_init__(self) -> None:
        if self.tile_queries < 16 or self.tile_queries & (self.tile_queries - 1):
            raise InputError(f"tile_queries must be a power of two of at least 16, got {self.tile_queries}")

    @classmethod
    def of(
        cls,
        lengths: Sequence[int],
        *,
        tile_queries: int | None = None,
        only_first: bool = False,
        device: torch.device | str = "cpu",
    ) -> PackedLayout:
        """Lay sequences out in the order given; a sequence of length 0 has no rows.

        Args:
            lengths: Tokens of each sequence.
            tile_queries: Queries per tile, a power of two; None for what the kernel runs best with.
            only_first: Each sequence has one query, its first token, instead of one per token.
            device: Where the tiles are wanted.
        """
        key_counts = np.asarray(lengths, dtype=np.int64).reshape(-1)
        if key_counts.size and key_counts.min() < 0:
            raise InputError(f"lengths must not be below 0, got {key_counts.min()}")
        query_counts = np.minimum(key_counts, 1) if only_first else key_counts
        if tile_queries is None:
            tile_queries = _TILE_QUERIES_OF_FIRST if only_first else _TILE_QUERIES
        tiles = _tiles(query_counts, key_counts, tile_queries)
        return cls(
            num_queries=int(query_counts.sum()),
            num_keys=int(key_counts.sum()),
            tile_queries=tile_queries,
            tiles=torch.from_numpy(tiles).to(device),
        )


def _tiles(
    query_counts: NDArray[np.int64], key_counts: NDArray[np.int64], tile_queries: int
) -> NDArray[np.int32]:
    query_ends, key_ends = np.cumsum(query_counts), np.cumsum(key_counts)
    tiles_of = -(-query_counts // tile_queries)
    owner = np.repeat(np.arange(len(key_counts)), tiles_of)
    place_in_owner = np.arange(len(owner)) - np.repeat(np.cumsum(tiles_of) - tiles_of, tiles_of)
    position = place_in_owner * tile_queries
    columns = [
        (query_ends - query_counts)[owner] + position,
        query_ends[owner],
        position,
        (key_ends - key_counts)[owner],
        key_ends[owner],
    ]
    # The longest first: a program that starts last should not be the one that runs longest.
    order = np.argsort(-key_counts[owner], kind="stable")
    return np.stack(columns, axis=1)[order].astype(np.int32)

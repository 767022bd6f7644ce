"""The Triton kernel's algorithm in plain torch, tile by tile: for CPUs, and to check the kernel against."""

from __future__ import annotations

import torch
from torch import Tensor

from labelwise.models.attention.layout import PackedLayout
from labelwise.models.attention.positions import PositionTables

__all__ = ["attend_blockwise"]


def attend_blockwise(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    positions: PositionTables,
    layout: PackedLayout,
    scale: float,
    tile_keys: int = 64,
) -> Tensor:
    """Return what `disentangled_attention` returns; 16-bit inputs are widened to float32 tile by tile."""
    attended = torch.empty_like(query)
    for first, end, position, key_start, key_end in layout.tiles.tolist():
        rows = slice(first, min(first + layout.tile_queries, end))
        keys, values = _by_head(key[key_start:key_end]), _by_head(value[key_start:key_end])
        tile = _attend_tile(
            _by_head(query[rows]),
            keys,
            values,
            positions,
            position=position,
            scale=scale,
            tile_keys=tile_keys,
        )
        attended[rows] = tile.transpose(0, 1).to(query.dtype)
    return attended


def _attend_tile(
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    positions: PositionTables,
    *,
    position: int,
    scale: float,
    tile_keys: int,
) -> Tensor:
    """Attend from one tile of queries to all keys of its sequence with an online softmax (arXiv 2205.14135).

    Queries have shape [heads, queries, head_size], the result too; keys and values [heads, keys, head_size].
    """
    highest = queries.new_full(queries.shape[:2], -torch.inf)
    total = torch.zeros_like(highest)
    summed = torch.zeros_like(queries)
    for start in range(0, keys.shape[1], tile_keys):
        tile = slice(start, start + tile_keys)
        scores = scale * _scores(queries, keys[:, tile], positions, distance=position - start)
        new_highest = torch.maximum(highest, scores.amax(dim=-1))
        shrink = (highest - new_highest).exp()
        weights = (scores - new_highest.unsqueeze(-1)).exp()
        total = total * shrink + weights.sum(dim=-1)
        summed = summed * shrink.unsqueeze(-1) + weights @ values[:, tile]
        highest = new_highest
    return summed / total.unsqueeze(-1)


def _scores(queries: Tensor, keys: Tensor, positions: PositionTables, *, distance: int) -> Tensor:
    """Score one tile: [heads, queries, keys]; ``distance`` is that of the first query from the first key."""
    scores = queries @ keys.transpose(1, 2)
    num_queries, num_keys = scores.shape[1:]
    # Along a diagonal of the tile the distance stays the same, so all of its scores read this one window.
    places = torch.arange(num_queries + num_keys - 1, device=scores.device)
    window = (places + distance - (num_keys - 1)).clamp(-positions.reach, positions.reach) + positions.reach
    skew = places[:num_queries, None] - places[None, :num_keys] + (num_keys - 1)
    skew = skew.expand(scores.shape)
    if positions.keys is not None:
        read = positions.keys[:, window].to(queries.dtype)
        scores += (queries @ read.transpose(1, 2)).gather(2, skew)
    if positions.queries is not None:
        read = positions.queries[:, window].to(queries.dtype)
        scores += (read @ keys.transpose(1, 2)).gather(1, skew)
    return scores


def _by_head(states: Tensor) -> Tensor:
    """Turn [tokens, heads, head_size] into [heads, tokens, head_size], at least float32."""
    return states.transpose(0, 1).to(torch.promote_types(states.dtype, torch.float32))

"""The Triton kernel: one program per tile of queries and head.

Why not torch's flex_attention: its score function sees one score at a time and cannot form the products of a
tile with a window of positions. It would have to read them from [heads, tokens, distances] tensors written
out before, twice per layer: 32 times the bytes of the queries themselves at base size.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import torch
from torch import Tensor

from labelwise.models.attention.layout import PackedLayout
from labelwise.models.attention.positions import PositionTables

try:
    import triton
    import triton.language as tl
except ModuleNotFoundError:
    # Tools that walk over all modules may import this one; only a launch needs triton.
    triton = tl = None

__all__ = ["attend_tile", "attend_with_triton", "jitted_kernel", "launch_options"]

_TILE_KEYS = 32


def attend_tile(
    query: tl.tensor,
    key: tl.tensor,
    value: tl.tensor,
    position_keys: tl.tensor,
    position_queries: tl.tensor,
    attended: tl.tensor,
    tiles: tl.tensor,
    query_token_stride: tl.tensor,
    key_token_stride: tl.tensor,
    value_token_stride: tl.tensor,
    attended_token_stride: tl.tensor,
    reach: tl.tensor,
    scale_log2: tl.tensor,
    HEAD_SIZE: tl.constexpr,  # noqa: N803
    HEAD_BLOCK: tl.constexpr,  # noqa: N803
    TILE_QUERIES: tl.constexpr,  # noqa: N803
    TILE_KEYS: tl.constexpr,  # noqa: N803
    WINDOW: tl.constexpr,  # noqa: N803
    READS_POSITION_KEYS: tl.constexpr,  # noqa: N803
    READS_POSITION_QUERIES: tl.constexpr,  # noqa: N803
    PRECISION: tl.constexpr,  # noqa: N803
) -> None:
    """Attend from one tile of queries to all keys of its sequence, for one head."""
    head = tl.program_id(1)
    tile = tiles + tl.program_id(0) * 5
    first = tl.load(tile).to(tl.int64)
    query_end = tl.load(tile + 1).to(tl.int64)
    position = tl.load(tile + 2)
    key_start = tl.load(tile + 3).to(tl.int64)
    num_keys = (tl.load(tile + 4) - key_start).to(tl.int32)

    in_tile = tl.arange(0, TILE_QUERIES)
    in_step = tl.arange(0, TILE_KEYS)
    in_window = tl.arange(0, WINDOW)
    in_head = tl.arange(0, HEAD_BLOCK)
    is_head = (in_head < HEAD_SIZE)[None, :]
    rows = first + in_tile
    is_query = (rows < query_end)[:, None] & is_head
    column = head * HEAD_SIZE + in_head[None, :]
    queries = tl.load(query + rows[:, None] * query_token_stride + column, mask=is_query, other=0.0)
    # Along a diagonal of the tile the distance stays the same, so all of its scores read this one window.
    skew = in_tile[:, None] - in_step[None, :] + (TILE_KEYS - 1)
    table_offset = head * (2 * reach + 1) * HEAD_SIZE + in_head[None, :]

    highest = tl.full([TILE_QUERIES], float("-inf"), tl.float32)
    total = tl.zeros([TILE_QUERIES], tl.float32)
    summed = tl.zeros([TILE_QUERIES, HEAD_BLOCK], tl.float32)
    for start in range(0, num_keys, TILE_KEYS):
        is_key = start + in_step < num_keys
        key_rows = (key_start + start + in_step)[:, None]
        may_read = is_key[:, None] & is_head
        keys = tl.load(key + key_rows * key_token_stride + column, mask=may_read, other=0.0)
        scores = tl.dot(queries, tl.trans(keys), input_precision=PRECISION)
        distances = position - start - (TILE_KEYS - 1) + in_window
        distances = tl.minimum(tl.maximum(distances, -reach), reach) + reach
        places = table_offset + distances[:, None] * HEAD_SIZE
        if READS_POSITION_KEYS:
            read = tl.load(position_keys + places, mask=is_head, other=0.0)
            by_distance = tl.dot(queries, tl.trans(read), input_precision=PRECISION)
            scores += tl.gather(by_distance, skew, 1)
        if READS_POSITION_QUERIES:
            read = tl.load(position_queries + places, mask=is_head, other=0.0)
            by_distance = tl.dot(read, tl.trans(keys), input_precision=PRECISION)
            scores += tl.gather(by_distance, skew, 0)
        scores = tl.where(is_key[None, :], scores * scale_log2, float("-inf"))
        # Each step has a key, so this is finite and no difference below is of two infinities.
        new_highest = tl.maximum(highest, tl.max(scores, 1))
        shrink = tl.exp2(highest - new_highest)
        weights = tl.exp2(scores - new_highest[:, None])
        total = total * shrink + tl.sum(weights, 1)
        values = tl.load(value + key_rows * value_token_stride + column, mask=may_read, other=0.0)
        summed = summed * shrink[:, None]
        summed += tl.dot(weights.to(values.dtype), values, input_precision=PRECISION)
        highest = new_highest
    result = (summed / total[:, None]).to(attended.dtype.element_ty)
    tl.store(attended + rows[:, None] * attended_token_stride + column, result, mask=is_query)


def attend_with_triton(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    positions: PositionTables,
    layout: PackedLayout,
    scale: float,
) -> Tensor:
    """Return what `disentangled_attention` returns, which has checked the inputs."""
    num_heads, head_size = query.shape[1:]
    attended = torch.empty(query.shape, dtype=query.dtype, device=query.device)
    options = launch_options(head_size, query.dtype, layout.tile_queries)
    # A table that is not read still needs a pointer.
    keys = positions.keys if positions.keys is not None else query
    queries = positions.queries if positions.queries is not None else query
    jitted_kernel()[(len(layout.tiles), num_heads)](
        query,
        key,
        value,
        keys,
        queries,
        attended,
        layout.tiles,
        query.stride(0),
        key.stride(0),
        value.stride(0),
        attended.stride(0),
        positions.reach,
        scale * math.log2(math.e),
        HEAD_SIZE=head_size,
        READS_POSITION_KEYS=positions.keys is not None,
        READS_POSITION_QUERIES=positions.queries is not None,
        **options,
    )
    return attended


@functools.cache
def jitted_kernel() -> Any:
    """Return the kernel as triton launches it (on a CPU where TRITON_INTERPRET is set)."""
    return triton.jit(attend_tile)


def launch_options(head_size: int, dtype: torch.dtype, tile_queries: int) -> dict[str, int | str]:
    """Return the kernel's tile sizes and launch settings.

    Compiled for sm_90 (bfloat16, heads of 64), tiles of 32 by 32 need 224 registers and spill none, while
    every larger tile tried, and more stages, spill: a gather becomes shuffles that hold all of its source
    in registers. Speeds have not been measured.
    """
    is_exact = dtype == torch.float32 and torch.get_float32_matmul_precision() == "highest"
    return {
        "HEAD_BLOCK": max(16, _power_of_two(head_size)),
        "TILE_QUERIES": tile_queries,
        "TILE_KEYS": _TILE_KEYS,
        "WINDOW": _power_of_two(tile_queries + _TILE_KEYS - 1),
        "PRECISION": "ieee" if is_exact else "tf32",
        "num_warps": 4,
        "num_stages": 1,
    }


def _power_of_two(size: int) -> int:
    return 1 << (size - 1).bit_length()

"""Disentangled attention over a packed batch: the Triton kernel on CUDA, its torch twin elsewhere."""

from __future__ import annotations

import torch
from torch import Tensor

from labelwise.errors import InputError, require
from labelwise.models.attention.blockwise import attend_blockwise
from labelwise.models.attention.layout import PackedLayout
from labelwise.models.attention.positions import PositionTables

__all__ = ["MAX_HEAD_SIZE", "disentangled_attention"]

MAX_HEAD_SIZE = 128
_DTYPES = (torch.float32, torch.float16, torch.bfloat16)


def disentangled_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    positions: PositionTables,
    layout: PackedLayout,
    scale: float,
) -> Tensor:
    """Attend within each sequence of a packed batch, by content and by position (arXiv 2006.03654).

    The score of query i and key j is ``scale * (q_i k_j + q_i K[i - j] + Q[i - j] k_j)`` with the position
    tables K and Q. Scores and softmax are float32; the result has the type of the inputs. Finite in 16 bits,
    too, while the inputs stay below 1e17 in size.

    Args:
        query: [layout.num_queries, heads, head_size]; may be a slice of a joint product, heads contiguous.
        key: [layout.num_keys, heads, head_size], likewise.
        value: Of the shape of ``key``.
        positions: The layer's tables, of the inputs' type.
        layout: Where each sequence stands, on the inputs' device.
        scale: ``(head_size * kinds of scores) ** -0.5``.

    Returns:
        The shape of ``query``.

    Raises:
        InputError: a shape, type or device does not fit the rest.
        MissingExtraError: the inputs are on CUDA and triton is not installed.
    """
    _check(query, key, value, positions, layout)
    if not len(layout.tiles):
        return torch.empty_like(query)
    if query.is_cuda:
        require("triton", extra="torch")
        from labelwise.models.attention.kernel import attend_with_triton

        # Triton launches on the current device, which need not be the inputs'.
        with torch.cuda.device(query.device):
            return attend_with_triton(query, key, value, positions=positions, layout=layout, scale=scale)
    return attend_blockwise(query, key, value, positions=positions, layout=layout, scale=scale)


def _check(
    query: Tensor, key: Tensor, value: Tensor, positions: PositionTables, layout: PackedLayout
) -> None:
    num_heads, head_size = query.shape[1:]
    expected = {
        "query": (query, (layout.num_queries, num_heads, head_size)),
        "key": (key, (layout.num_keys, num_heads, head_size)),
        "value": (value, (layout.num_keys, num_heads, head_size)),
    }
    table = (num_heads, 2 * positions.reach + 1, head_size)
    if positions.keys is not None:
        expected["positions.keys"] = (positions.keys, table)
    if positions.queries is not None:
        expected["positions.queries"] = (positions.queries, table)
    for name, (tensor, shape) in expected.items():
        if tuple(tensor.shape) != shape or tensor.dtype != query.dtype or tensor.device != query.device:
            raise InputError(
                f"{name} is {tuple(tensor.shape)} {tensor.dtype} on {tensor.device}; "
                f"expected {shape} {query.dtype} on {query.device}"
            )
        # A token's heads stand side by side, and so do a head's distances.
        if tensor.numel() and tensor.stride()[1:] != (head_size, 1):
            raise InputError(f"{name} has strides {tensor.stride()}: its last two axes must be contiguous")
    if query.is_cuda and (query.dtype not in _DTYPES or head_size > MAX_HEAD_SIZE):
        raise InputError(
            f"no kernel for heads of {head_size} in {query.dtype}: use 16 to 32 bits, at most 128"
        )

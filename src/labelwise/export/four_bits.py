"""Four-bit weights in the layout of MatMulNBits."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["pack_four_bits"]

_ZERO_POINT: Final = 8  # what MatMulNBits takes for zero when no zero points are given
_LARGEST: Final = 8  # the integers run from -8 to 7
# How far the largest number of a block may be cut for the others' sake; the best by squared error is taken.
_CUTS: Final = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75)


def pack_four_bits(
    weight: NDArray[np.float32], block_size: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Round a linear layer's weight ``[out, in]`` in blocks of inputs to 16 levels.

    The largest number of a block stands on -8, whatever its sign, since there are more levels on that side.

    Returns:
        Bytes ``[out, blocks, block_size / 2]``, the earlier input in the lower half, and scales
        ``[out, blocks]``; the last block is filled up with zeros.
    """
    size_out, size_in = weight.shape
    blocks = np.pad(weight, ((0, 0), (0, -size_in % block_size))).reshape(size_out, -1, block_size)
    places = np.abs(blocks).argmax(axis=-1, keepdims=True)
    full = np.take_along_axis(blocks, places, axis=-1) / -_LARGEST
    best_integers = np.zeros(blocks.shape, np.int8)
    best_scales = np.ones_like(full)
    best_errors = np.full(full.shape, np.inf)
    for cut in _CUTS:
        scales = (full * cut).astype(np.float32)
        divisors = np.where(scales == 0.0, np.float32(1.0), scales)
        integers = np.clip(np.rint(blocks / divisors), -_LARGEST, _LARGEST - 1)
        errors = ((integers * scales - blocks) ** 2).sum(axis=-1, keepdims=True)
        is_better = errors < best_errors
        best_errors = np.where(is_better, errors, best_errors)
        best_scales = np.where(is_better, scales, best_scales)
        best_integers = np.where(is_better, integers, best_integers).astype(np.int8)
    nibbles = (best_integers + _ZERO_POINT).astype(np.uint8)
    packed = (nibbles[..., 0::2] | (nibbles[..., 1::2] << 4)).astype(np.uint8)
    return packed, best_scales[..., 0].astype(np.float32)

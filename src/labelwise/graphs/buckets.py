"""Which row of the table of relative positions a distance reads (DeBERTa, arXiv 2006.03654)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["bucket_of_distance", "row_of_distance"]


def bucket_of_distance(
    distances: NDArray[np.int64], *, num_buckets: int, max_distance: int
) -> NDArray[np.int64]:
    """Round far distances logarithmically; near ones (up to half the buckets) stay exact.

    The formula is transformers' ``make_log_bucket_position``; in float64 it gives the same buckets.
    """
    middle = num_buckets // 2
    sizes = np.abs(distances)
    octaves = np.log(np.maximum(sizes, middle) / middle) / np.log((max_distance - 1) / middle)
    far = np.ceil(octaves * (middle - 1)).astype(np.int64) + middle
    return np.where(sizes <= middle, distances, np.sign(distances) * far)


def row_of_distance(*, num_buckets: int, max_distance: int) -> NDArray[np.int64]:
    """List the row for each distance query - key from -reach to reach; beyond, the end rows go on.

    Args:
        num_buckets: ``position_buckets``; none when it is not positive.
        max_distance: ``max_relative_positions``.

    Returns:
        ``2 * reach + 1`` rows, each below ``2 * num_buckets`` (without buckets: ``2 * max_distance``).
    """
    if num_buckets <= 0:
        distances = np.arange(-max_distance, max_distance + 1, dtype=np.int64)
        return np.clip(distances + max_distance, 0, 2 * max_distance - 1)
    reach = max_distance
    while True:
        distances = np.arange(-reach, reach + 1, dtype=np.int64)
        buckets = bucket_of_distance(distances, num_buckets=num_buckets, max_distance=max_distance)
        if buckets[-1] >= num_buckets:
            return np.clip(buckets + num_buckets, 0, 2 * num_buckets - 1)
        reach *= 2

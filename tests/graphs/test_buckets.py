from __future__ import annotations

import numpy as np
import pytest

from labelwise.graphs.buckets import bucket_of_distance, row_of_distance


def test_the_distances_of_deberta_v3_fall_into_known_buckets():
    distances = np.array([0, 1, -128, 129, 511, 512, 600, 1023, 4095, -600])
    buckets = bucket_of_distance(distances, num_buckets=256, max_distance=512)
    assert buckets.tolist() == [0, 1, -128, 129, 255, 256, 270, 319, 446, -270]


@pytest.mark.parametrize(("num_buckets", "max_distance"), [(256, 512), (8, 32), (7, 20), (48, 100), (-1, 9)])
def test_rows_run_from_the_first_to_the_last_and_never_back(num_buckets, max_distance):
    rows = row_of_distance(num_buckets=num_buckets, max_distance=max_distance)
    last_row = 2 * (num_buckets if num_buckets > 0 else max_distance) - 1
    assert (rows[0], rows[-1]) == (0, last_row)
    assert (np.diff(rows) >= 0).all()


@pytest.mark.parametrize(
    ("num_buckets", "max_distance"),
    [(256, 512), (8, 32), (7, 20), (32, 64), (48, 100), (256, 2048), (320, 512)],
)
def test_buckets_equal_those_of_transformers(num_buckets, max_distance):
    torch = pytest.importorskip("torch")
    peer = pytest.importorskip("transformers.models.deberta_v2.modeling_deberta_v2")
    distances = np.arange(-3 * max_distance, 3 * max_distance + 1)
    theirs = peer.make_log_bucket_position(torch.from_numpy(distances), num_buckets, max_distance).long()
    ours = bucket_of_distance(distances, num_buckets=num_buckets, max_distance=max_distance)
    assert ours.tolist() == theirs.tolist()

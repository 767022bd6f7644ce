"""One row of ids checks itself."""

from __future__ import annotations

import numpy as np
import pytest

from labelwise.errors import InputError
from labelwise.text import TokenSequence

IDS = np.array([2, 7, 8, 3])


def test_a_row_is_as_long_as_its_ids():
    assert len(TokenSequence(IDS, token_types=np.zeros(4, dtype=np.int64))) == 4


def test_a_batch_is_not_a_row():
    with pytest.raises(InputError, match="one row"):
        TokenSequence(IDS.reshape(2, 2))


@pytest.mark.parametrize("part", ["token_types", "text_mask"])
def test_parts_of_another_length_are_refused(part):
    with pytest.raises(InputError, match=part):
        TokenSequence(IDS, **{part: np.zeros(3, dtype=np.int64)})


@pytest.mark.parametrize("positions", [[-1], [0, 4]])
def test_labels_stand_inside_the_row(positions):
    with pytest.raises(InputError, match="label positions"):
        TokenSequence(IDS, label_positions=np.array(positions))


def test_a_row_without_labels_is_fine():
    assert TokenSequence(IDS, label_positions=np.array([], dtype=np.int64)).label_positions.size == 0

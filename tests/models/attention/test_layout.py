import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelwise.errors import InputError
from labelwise.models.attention import PackedLayout


@given(lengths=st.lists(st.integers(0, 200), max_size=8), tile_queries=st.sampled_from([16, 64]))
def test_each_query_stands_in_exactly_one_tile_beside_its_own_keys(lengths, tile_queries):
    layout = PackedLayout.of(lengths, tile_queries=tile_queries)
    starts = [sum(lengths[:place]) for place in range(len(lengths))]
    seen = []
    for first, end, position, key_start, key_end in layout.tiles.tolist():
        assert (key_start, key_end - key_start) in set(zip(starts, lengths, strict=True))
        assert end == key_end
        assert first - position == key_start
        seen += range(first, min(first + tile_queries, end))
    assert sorted(seen) == list(range(sum(lengths)))
    assert layout.num_queries == layout.num_keys == sum(lengths)


def test_long_sequences_come_first():
    sizes = [
        end - start for *_, start, end in PackedLayout.of([3, 40, 7, 90], tile_queries=16).tiles.tolist()
    ]
    assert sizes == sorted(sizes, reverse=True)


def test_first_tokens_alone_are_one_query_per_sequence_with_tokens():
    layout = PackedLayout.of([3, 0, 20], tile_queries=16, only_first=True)
    assert layout.num_queries == 2
    assert layout.num_keys == 23
    assert layout.tiles.tolist() == [[1, 2, 0, 3, 23], [0, 1, 0, 0, 3]]


def test_lengths_and_tiles_that_make_no_sense_are_refused():
    with pytest.raises(InputError, match="lengths must not be below 0, got -1"):
        PackedLayout.of([4, -1])
    with pytest.raises(InputError, match="power of two of at least 16, got 48"):
        PackedLayout.of([4], tile_queries=48)

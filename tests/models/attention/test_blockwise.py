import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from labelwise.errors import InputError
from labelwise.models.attention import PackedLayout, PositionTables, disentangled_attention

from .reference import dense_attention, first_rows, random_case

TOLERANCE = {torch.float64: 1e-12, torch.float32: 2e-6, torch.float16: 2e-3, torch.bfloat16: 2e-2}


@settings(max_examples=25, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 70), min_size=1, max_size=4),
    head_size=st.sampled_from([16, 32, 48]),
    reach=st.integers(1, 80),
    tile_queries=st.sampled_from([16, 64]),
    kinds=st.sampled_from([(), ("keys",), ("queries",), ("keys", "queries")]),
    dtype=st.sampled_from(list(TOLERANCE)),
    seed=st.integers(0, 1000),
)
def test_any_batch_agrees_with_the_dense_formula(lengths, head_size, reach, tile_queries, kinds, dtype, seed):
    query, key, value, positions, scale = random_case(
        lengths, heads=2, head_size=head_size, reach=reach, dtype=dtype, seed=seed, kinds=kinds
    )
    layout = PackedLayout.of(lengths, tile_queries=tile_queries)
    attended = disentangled_attention(query, key, value, positions=positions, layout=layout, scale=scale)
    expected = dense_attention(query, key, value, lengths=lengths, positions=positions, scale=scale)
    assert attended.dtype == dtype
    torch.testing.assert_close(attended.double(), expected, rtol=0, atol=TOLERANCE[dtype])


def test_a_layout_of_first_tokens_gives_their_rows_alone():
    lengths = [5, 0, 1, 130]
    query, key, value, positions, scale = random_case(
        lengths, heads=2, head_size=16, reach=9, dtype=torch.float64
    )
    rows = first_rows(lengths)
    layout = PackedLayout.of(lengths, tile_queries=16, only_first=True)
    attended = disentangled_attention(
        query[rows], key, value, positions=positions, layout=layout, scale=scale
    )
    expected = dense_attention(query, key, value, lengths=lengths, positions=positions, scale=scale)
    torch.testing.assert_close(attended, expected[rows], rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_large_numbers_stay_finite_in_16_bits(dtype):
    size = 6e3 if dtype == torch.float16 else 1e15
    query, key, value, positions, scale = random_case(
        [1, 90], heads=2, head_size=32, reach=20, dtype=dtype, size=size
    )
    layout = PackedLayout.of([1, 90])
    attended = disentangled_attention(query, key, value, positions=positions, layout=layout, scale=scale)
    assert attended.isfinite().all()


def test_a_sequence_does_not_depend_on_its_neighbours():
    query, key, value, positions, scale = random_case(
        [40, 33], heads=2, head_size=16, reach=9, dtype=torch.float32
    )
    together = disentangled_attention(
        query, key, value, positions=positions, layout=PackedLayout.of([40, 33]), scale=scale
    )
    alone = disentangled_attention(
        query[40:], key[40:], value[40:], positions=positions, layout=PackedLayout.of([33]), scale=scale
    )
    assert torch.equal(together[40:], alone)


def test_a_batch_without_tokens_gives_no_rows():
    query, key, value, positions, scale = random_case(
        [0, 0], heads=2, head_size=16, reach=3, dtype=torch.float32
    )
    layout = PackedLayout.of([0, 0])
    attended = disentangled_attention(query, key, value, positions=positions, layout=layout, scale=scale)
    assert attended.shape == (0, 2, 16)


def test_what_does_not_fit_is_named():
    query, key, value, positions, scale = random_case(
        [4], heads=2, head_size=16, reach=3, dtype=torch.float32
    )
    layout = PackedLayout.of([4])

    def attend(value=value, layout=layout):
        disentangled_attention(query, key, value, positions=positions, layout=layout, scale=scale)

    with pytest.raises(InputError, match="value is"):
        attend(value=value.half())
    with pytest.raises(InputError, match="query is"):
        attend(layout=PackedLayout.of([5]))
    with pytest.raises(InputError, match="must be contiguous"):
        attend(value=value.transpose(0, 1).contiguous().transpose(0, 1))


def test_tables_of_two_shapes_are_refused():
    with pytest.raises(InputError, match="share one shape"):
        PositionTables(keys=torch.zeros(2, 5, 16), queries=torch.zeros(2, 7, 16))

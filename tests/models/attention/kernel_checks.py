"""What the kernel must do; test_kernel.py runs this file in a process of its own."""

import numpy as np
import pytest
import torch

from labelwise.models.attention import PackedLayout, PositionTables
from labelwise.models.attention.kernel import attend_with_triton

from .reference import dense_attention, first_rows, random_case

IS_ON_GPU = torch.cuda.is_available()
DEVICE = "cuda" if IS_ON_GPU else "cpu"
TOLERANCE = {torch.float32: 3e-6, torch.float16: 2e-3, torch.bfloat16: 2e-2}


@pytest.fixture(autouse=True)
def bfloat16_products_of_the_interpreter(monkeypatch):
    """Widen bfloat16 before products: triton 3.9's interpreter multiplies its bits as integers."""
    if IS_ON_GPU:
        return
    import triton.language as tl
    from triton.runtime.interpreter import InterpreterBuilder, TensorHandle

    multiply = InterpreterBuilder.create_dot

    def widened(handle):
        if handle.dtype.scalar != tl.bfloat16:
            return handle
        return TensorHandle((handle.data.astype(np.uint32) << 16).view(np.float32), tl.float32)

    def create_dot(self, left, right, *others):
        return multiply(self, widened(left), widened(right), *others)

    monkeypatch.setattr(InterpreterBuilder, "create_dot", create_dot)


def attend(query, key, value, positions, scale, layout):
    on_device = PositionTables(
        keys=None if positions.keys is None else positions.keys.to(DEVICE),
        queries=None if positions.queries is None else positions.queries.to(DEVICE),
    )
    inputs = [states.to(DEVICE) for states in (query, key, value)]
    return attend_with_triton(*inputs, positions=on_device, layout=layout, scale=scale).cpu()


@pytest.mark.parametrize("dtype", list(TOLERANCE))
@pytest.mark.parametrize(("head_size", "tile_queries"), [(32, 16), (48, 32), (64, 64), (128, 16)])
def test_the_kernel_agrees_with_the_dense_formula(dtype, head_size, tile_queries):
    lengths = [1, 0, 70]
    query, key, value, positions, scale = random_case(
        lengths, heads=2, head_size=head_size, reach=30, dtype=dtype
    )
    layout = PackedLayout.of(lengths, tile_queries=tile_queries, device=DEVICE)
    attended = attend(query, key, value, positions, scale, layout)
    expected = dense_attention(query, key, value, lengths=lengths, positions=positions, scale=scale)
    assert attended.dtype == dtype
    torch.testing.assert_close(attended.double(), expected, rtol=0, atol=TOLERANCE[dtype])


@pytest.mark.parametrize("kinds", [(), ("keys",), ("queries",)])
def test_the_kernel_leaves_out_scores_that_a_model_does_not_have(kinds):
    query, key, value, positions, scale = random_case(
        [37], heads=3, head_size=32, reach=8, dtype=torch.float32, kinds=kinds
    )
    layout = PackedLayout.of([37], tile_queries=16, device=DEVICE)
    attended = attend(query, key, value, positions, scale, layout)
    expected = dense_attention(query, key, value, lengths=[37], positions=positions, scale=scale)
    torch.testing.assert_close(attended.double(), expected, rtol=0, atol=3e-6)


def test_the_kernel_can_attend_from_first_tokens_alone():
    lengths = [5, 0, 1, 70]
    query, key, value, positions, scale = random_case(
        lengths, heads=2, head_size=32, reach=9, dtype=torch.float32
    )
    rows = first_rows(lengths)
    layout = PackedLayout.of(lengths, tile_queries=16, only_first=True, device=DEVICE)
    attended = attend(query[rows], key, value, positions, scale, layout)
    expected = dense_attention(query, key, value, lengths=lengths, positions=positions, scale=scale)
    torch.testing.assert_close(attended.double(), expected[rows], rtol=0, atol=3e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_large_numbers_stay_finite_in_16_bits(dtype):
    size = 6e3 if dtype == torch.float16 else 1e15
    query, key, value, positions, scale = random_case(
        [1, 40], heads=1, head_size=32, reach=20, dtype=dtype, size=size
    )
    layout = PackedLayout.of([1, 40], tile_queries=32, device=DEVICE)
    assert attend(query, key, value, positions, scale, layout).isfinite().all()

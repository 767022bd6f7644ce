"""The GPU benchmark at a size that a CPU can run, so that it works when a GPU is at hand."""

import importlib.util
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "gpu_attention.py"


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("gpu_attention", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "gpu_attention", module)
        spec.loader.exec_module(module)
        yield module


def test_without_a_gpu_it_says_so_in_one_line(benchmark, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match="no CUDA device"):
        benchmark.main([])


def test_all_systems_give_the_same_answers(benchmark):
    geometry = benchmark.Geometry(
        hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2, vocab_size=50
    )
    plan = benchmark.Plan("cpu", torch.float32, num_texts=3, budget_tokens=300, rounds=1, is_compiled=False)
    found = benchmark.measure(geometry, plan, rate_size=64)
    assert [row["system"] for row in found["rows"]][-1] == "labelwise packed, token budget"
    assert all(row["max_probability_difference"] < 1e-5 for row in found["rows"])
    assert all(row["share_of_attainable"] > 0 for row in found["rows"])


def test_work_is_counted_by_hand_for_one_token(benchmark):
    geometry = benchmark.Geometry(
        hidden_size=2, intermediate_size=3, num_hidden_layers=1, num_attention_heads=1, vocab_size=9
    )
    # Four products of 2 x 2 (query, key, value, out), two of 2 x 3, and four dot products of 2.
    assert benchmark.useful_operations(geometry, [1]) == 2 * (4 * 4 + 2 * 6 + 4 * 2)

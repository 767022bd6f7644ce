"""Compare packed DeBERTa on a GPU with transformers and FlashDeBERTa on the same weights and token ids.

Run: python benchmarks/gpu_attention.py [--rounds 7] [--dtype bfloat16] [--compile] [--output FILE.json]
The model has the geometry of deberta-v3-base with random weights, since speed does not depend on them; texts
have mixed lengths. All systems take turns within each round; the figures are medians over rounds. "Share of
attainable" sets the time against the least that the machine could take: the larger of the useful operations
over its matrix-product rate and the bytes over its copying rate, both measured in the same run. Useful
operations are those on real tokens that the classifier's answer needs, the same for every system. Answers
are compared with transformers' in float32: a faster wrong answer would not count.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from labelwise.batching import plan_batches
from labelwise.models.attention import PackedDeberta, PackedLayout, PositionTables, disentangled_attention

Batch = dict[str, Tensor]
Run = Callable[[], Tensor]
DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}


@dataclass(frozen=True, slots=True)
class Geometry:
    """The sizes of a DeBERTa-v3 encoder; as given, those of the base model."""

    hidden_size: int = 768
    intermediate_size: int = 3072
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    vocab_size: int = 128_100


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run, on what."""

    device: str
    dtype: torch.dtype
    num_texts: int
    budget_tokens: int
    rounds: int
    is_compiled: bool


def config_of(geometry: Geometry) -> Any:
    """Return transformers' configuration for a geometry, the rest as DeBERTa-v3 has it."""
    from transformers import DebertaV2Config

    return DebertaV2Config(
        **asdict(geometry),
        relative_attention=True,
        position_buckets=256,
        max_relative_positions=-1,
        pos_att_type=["p2c", "c2p"],
        share_att_key=True,
        norm_rel_ebd="layer_norm",
        position_biased_input=False,
        type_vocab_size=0,
        layer_norm_eps=1e-7,
        num_labels=3,
    )


def draw_rows(num_texts: int, vocab_size: int) -> list[Tensor]:
    """Return rows of ids of mixed length: most short, some up to 512, as in a pile of real texts."""
    generator = torch.Generator().manual_seed(0)
    lengths = (4.4 + 0.9 * torch.randn(num_texts, generator=generator)).exp().long().clamp(8, 512)
    return [torch.randint(1, vocab_size, (int(length),), generator=generator) for length in lengths]


def padded(rows: list[Tensor], device: str) -> Batch:
    """Pad rows to their longest, on the device."""
    ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    lengths = torch.tensor([len(row) for row in rows]).unsqueeze(1)
    mask = (torch.arange(ids.shape[1]) < lengths).long()
    return {"input_ids": ids.to(device), "attention_mask": mask.to(device)}


def over(batches: list[tuple[list[int], Batch]], model: Any, num_texts: int) -> Run:
    """Return a run of a model over batches that gives the logits in the texts' own order."""

    def run() -> Tensor:
        with torch.inference_mode():
            parts = [model(**batch)["logits"].float() for _, batch in batches]
        order = [row for rows, _ in batches for row in rows]
        logits = torch.cat(parts).cpu()
        in_order = torch.empty_like(logits)
        in_order[order] = logits
        assert len(order) == num_texts
        return in_order

    return run


def systems(
    geometry: Geometry, plan: Plan, rows: list[Tensor]
) -> tuple[dict[str, Run], dict[str, str], Tensor]:
    """Return the systems that run here, why the others do not, and transformers' float32 logits."""
    from transformers import DebertaV2ForSequenceClassification

    config = config_of(geometry)
    torch.manual_seed(0)
    model = DebertaV2ForSequenceClassification(config).eval().to(plan.device)
    as_given = [list(range(first, min(first + 32, len(rows)))) for first in range(0, len(rows), 32)]
    lengths = [len(row) for row in rows]
    sorted_rows = [batch.tolist() for batch in plan_batches(lengths, max_tokens=plan.budget_tokens)]

    def batches(groups: list[list[int]]) -> list[tuple[list[int], Batch]]:
        return [(group, padded([rows[row] for row in group], plan.device)) for group in groups]

    given, planned = batches(as_given), batches(sorted_rows)
    expected = over(given, model, len(rows))()
    weights = {name: values.to(plan.dtype) for name, values in model.state_dict().items()}
    model = model.to(plan.dtype)
    runs = {
        "transformers eager, batches of 32": over(given, model, len(rows)),
        "transformers eager, sorted, token budget": over(planned, model, len(rows)),
    }
    absent: dict[str, str] = {}
    for name, make in peers(config).items():
        try:
            peer = make()
            peer.load_state_dict(weights)
            peer = peer.to(device=plan.device, dtype=plan.dtype).eval()
            over(planned[:1], peer, len(planned[0][0]))()
        except Exception as error:  # whatever keeps a peer from running is a finding
            absent[name] = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            continue
        runs[f"{name}, batches of 32"] = over(given, peer, len(rows))
        runs[f"{name}, sorted, token budget"] = over(planned, peer, len(rows))
    # The lengths are the host's to know: reading the mask back would wait for the batch before.
    hosted = [(group, batch | {"attention_mask": batch["attention_mask"].cpu()}) for group, batch in planned]
    runs["labelwise packed, token budget"] = over(hosted, PackedDeberta(model), len(rows))
    if plan.is_compiled:
        runs["labelwise packed, compiled between attentions"] = over(hosted, compiled(model), len(rows))
    return runs, absent, expected


def peers(config: Any) -> dict[str, Callable[[], Any]]:
    """Return how to make each peer; making one raises where it is not to be had."""

    def sdpa() -> Any:
        from transformers import AutoModelForSequenceClassification

        return AutoModelForSequenceClassification.from_config(config, attn_implementation="sdpa")

    def flash() -> Any:
        from flashdeberta import FlashDebertaV2ForSequenceClassification

        return FlashDebertaV2ForSequenceClassification(config)

    return {"transformers sdpa": sdpa, "FlashDeBERTa": flash}


def compiled(model: Any) -> PackedDeberta:
    """Compile what works token by token, where the number of tokens is the one size that changes.

    GELU and add + layer norm then run as one pass each over memory. The attention is one kernel already.
    """
    packed = PackedDeberta(model)
    for layer in packed.layers:
        layer.after_attention = torch.compile(layer.after_attention, dynamic=True)
        layer.intermediate = torch.compile(layer.intermediate, dynamic=True)
        layer.output = torch.compile(layer.output, dynamic=True)
    return packed


def useful_operations(geometry: Geometry, lengths: list[int]) -> int:
    """Count what the answers need: in the last layer, all but keys and values for one token alone."""
    hidden, inner = geometry.hidden_size, geometry.intermediate_size
    per_query = 2 * (2 * hidden * hidden + 2 * hidden * inner)
    per_key = 2 * 2 * hidden * hidden
    per_pair = 2 * 4 * hidden  # three kinds of scores and the sum of values
    total = 0
    for length in lengths:
        for queries in [length] * (geometry.num_hidden_layers - 1) + [1]:
            total += queries * per_query + length * per_key + queries * length * per_pair
    return total


def least_bytes(geometry: Geometry, num_tokens: int, num_batches: int, itemsize: int) -> int:
    """Count the bytes that must move: weights once per batch, what stands between products once each way."""
    hidden, inner = geometry.hidden_size, geometry.intermediate_size
    weights = num_batches * (4 * hidden * hidden + 2 * hidden * inner)
    # Read and written: vectors, joined projections, attended heads, two sums with their norms, inner layer.
    between = num_tokens * (2 * (hidden + 3 * hidden + hidden + 2 * hidden + inner))
    return geometry.num_hidden_layers * itemsize * (weights + between)


def seconds_of(run: Callable[[], object], device: str, repeats: int = 1) -> float:
    """Time a run, waiting for the device."""
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    wait()
    began = time.perf_counter()
    for _ in range(repeats):
        run()
    wait()
    return (time.perf_counter() - began) / repeats


def machine_rates(plan: Plan, size: int) -> dict[str, float]:
    """Measure the rate of a square matrix product and of copying, the best of five."""
    left, right = (torch.randn(size, size, device=plan.device, dtype=plan.dtype) for _ in range(2))
    source = torch.empty(size * size * 4, device=plan.device, dtype=plan.dtype)
    target = torch.empty_like(source)
    product = min(seconds_of(lambda: left @ right, plan.device, 3) for _ in range(5))
    copy = min(seconds_of(lambda: target.copy_(source), plan.device, 3) for _ in range(5))
    moved = 2 * source.numel() * source.element_size()
    return {"operations_per_s": 2 * size**3 / product, "bytes_per_s": moved / copy}


def attention_alone(geometry: Geometry, plan: Plan, lengths: list[int]) -> list[dict[str, float]]:
    """Time one layer's attention over all texts at once, by queries per tile."""
    heads = geometry.num_attention_heads
    head_size = geometry.hidden_size // heads
    joined = torch.randn(sum(lengths), 3, heads, head_size, device=plan.device, dtype=plan.dtype)
    query, key, value = joined.unbind(1)
    tables = torch.randn(2, heads, 1025, head_size, device=plan.device, dtype=plan.dtype)
    positions = PositionTables(keys=tables[0], queries=tables[1])
    operations = sum(8 * length * length * geometry.hidden_size for length in lengths)
    found = []
    for tile_queries in (16, 32, 64):
        layout = PackedLayout.of(lengths, tile_queries=tile_queries, device=plan.device)

        def attend(layout: PackedLayout = layout) -> Tensor:
            return disentangled_attention(
                query, key, value, positions=positions, layout=layout, scale=(3 * head_size) ** -0.5
            )

        attend()
        taken = statistics.median(seconds_of(attend, plan.device) for _ in range(plan.rounds))
        found.append(
            {"tile_queries": tile_queries, "ms": 1e3 * taken, "tflop_per_s": operations / taken / 1e12}
        )
    return found


def measure(geometry: Geometry, plan: Plan, *, rate_size: int = 8192) -> dict[str, Any]:
    """Run all systems in turns and return the figures."""
    rows = draw_rows(plan.num_texts, geometry.vocab_size)
    lengths = [len(row) for row in rows]
    runs, absent, expected = systems(geometry, plan, rows)
    differences = {
        name: float((run().softmax(-1) - expected.softmax(-1)).abs().max()) for name, run in runs.items()
    }
    rates = machine_rates(plan, rate_size)
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(plan.rounds):
        for name, run in runs.items():
            seconds[name].append(seconds_of(run, plan.device))
    operations = useful_operations(geometry, lengths)
    num_batches = len(plan_batches(lengths, max_tokens=plan.budget_tokens))
    moved = least_bytes(geometry, sum(lengths), num_batches, plan.dtype.itemsize)
    least = max(operations / rates["operations_per_s"], moved / rates["bytes_per_s"])
    baseline = statistics.median(seconds["transformers eager, batches of 32"])
    table = []
    for name, taken in seconds.items():
        median = statistics.median(taken)
        table.append(
            {
                "system": name,
                "texts_per_s": len(rows) / median,
                "tokens_per_s": sum(lengths) / median,
                "ratio": baseline / median,
                "spread": (max(taken) - min(taken)) / median,
                "tflop_per_s": operations / median / 1e12,
                "share_of_attainable": least / median,
                "max_probability_difference": differences[name],
            }
        )
    return {
        "device": torch.cuda.get_device_name() if plan.device == "cuda" else "cpu",
        "dtype": str(plan.dtype).removeprefix("torch."),
        "texts": len(rows),
        "tokens": sum(lengths),
        "budget_tokens": plan.budget_tokens,
        "machine": rates,
        "rows": table,
        "absent": absent,
        "attention_alone": attention_alone(geometry, plan, lengths),
    }


def main(arguments: list[str] | None = None) -> None:
    """Measure and print, and write the JSON file if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--texts", type=int, default=1024)
    parser.add_argument("--budget-tokens", type=int, default=16_384)
    parser.add_argument("--dtype", choices=DTYPES, default="bfloat16")
    parser.add_argument("--compile", action="store_true", help="also with torch.compile between attentions")
    parser.add_argument("--output", type=Path)
    given = parser.parse_args(arguments)
    if not torch.cuda.is_available():
        sys.exit("gpu_attention: torch sees no CUDA device here, so there is nothing to measure")
    plan = Plan("cuda", DTYPES[given.dtype], given.texts, given.budget_tokens, given.rounds, given.compile)
    found = measure(Geometry(), plan)
    print(json.dumps(found, indent=2))
    if given.output:
        given.output.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()

"""Compare the packed engine with transformers' pipeline and with our other backends, on the same weights.

Run: python benchmarks/engine.py [--quick] [--rounds 5] [--threads 2] [--output FILE.json]
The model has the geometry of deberta-v3-xsmall with random weights, since speed does not depend on them, and
the bundled model's tokenizer. All systems take turns within each round; figures are medians over rounds, and
ratios are to the pipeline as a user writes it (batch 1). ``share_of_peak`` is the useful floating-point work,
padding left out, over the rate of the fastest library's float32 products of the same shapes, measured in the
same rounds. Scores are compared too: a faster wrong answer would not count.

Figures appear on stderr as they come, and the file grows with each length. ``--quick`` takes fewer texts and
rounds: at most four minutes on two quiet cores.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import labelwise
from labelwise.benchmarking.matrix_rate import MatrixProducts
from labelwise.benchmarking.timing import Turns

LABELS = ["billing problem", "delivery delay", "product praise", "account access", "something else"]
TEMPLATE = "This example is {}."
SENTENCE = "the parcel that I ordered last week has not arrived and nobody at the shop answers my calls"
WORDS = SENTENCE.split()
# The tokens of one text with one label; a label with its sentence and the control tokens are about ten.
TOKENS = {"short": 20, "medium": 57, "long": 250}
LABEL_TOKENS = 10
NUM_TEXTS = 12
QUICK_TEXTS, QUICK_ROUNDS, QUICK_SECONDS_PER_LENGTH = 6, 3, 60.0
MATRIX = "=matrix products by "
HIDDEN, INNER, LAYERS, HEADS = 384, 1536, 12, 6
Run = Callable[[list[str]], list[list[float]]]


@dataclass(frozen=True)
class Plan:
    """How much is measured; no round begins after ``most_seconds``."""

    rounds: int
    num_texts: int
    most_seconds: float


def build_checkpoint(folder: Path) -> None:
    """Write a random entailment model of DeBERTa-v3-xsmall's sizes."""
    import torch
    from transformers import DebertaV2Config, DebertaV2ForSequenceClassification

    config = DebertaV2Config(
        vocab_size=128100, hidden_size=HIDDEN, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
        intermediate_size=INNER, type_vocab_size=0, relative_attention=True, position_buckets=256,
        norm_rel_ebd="layer_norm", share_att_key=True, pos_att_type=["p2c", "c2p"],
        position_biased_input=False, pooler_hidden_size=HIDDEN, pad_token_id=0,
        id2label={0: "entailment", 1: "neutral", 2: "contradiction"},
        label2id={"entailment": 0, "neutral": 1, "contradiction": 2},
    )  # fmt: skip
    torch.manual_seed(0)
    model = DebertaV2ForSequenceClassification(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:
                parameter.normal_(0.0, 0.05)
            elif "bias" in name:
                parameter.normal_(0.0, 0.02)
    model.save_pretrained(folder)
    bundled = labelwise.load().checkpoint.folder
    (folder / "tokenizer.json").write_bytes((bundled / "tokenizer.json").read_bytes())
    settings = json.loads((bundled / "tokenizer_config.json").read_text())
    changes = {"model_max_length": 512, "tokenizer_class": "PreTrainedTokenizerFast"}
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, **changes}))


def systems(folder: Path, threads: int) -> dict[str, Run]:
    """Return name -> function from texts to the scores of each text, in label order."""
    import torch
    from transformers import pipeline
    from transformers.utils import logging

    logging.set_verbosity_error()
    torch.set_num_threads(threads)
    peer = pipeline("zero-shot-classification", model=str(folder), device="cpu")

    def run_peer(texts: list[str], batch_size: int) -> list[list[float]]:
        results = peer(texts, LABELS, batch_size=batch_size, hypothesis_template=TEMPLATE)
        found = [dict(zip(result["labels"], result["scores"], strict=True)) for result in results]
        return [[scores[label] for label in LABELS] for scores in found]

    def ours(**settings: Any) -> Run:
        model = labelwise.load(folder, threads=threads, **settings)

        def run(texts: list[str]) -> list[list[float]]:
            results = model.classify(texts, LABELS, hypothesis_template=TEMPLATE)
            found = [{label.label: label.score for label in result.labels} for result in results]
            return [[scores[label] for label in LABELS] for scores in found]

        return run

    runs: dict[str, Run] = {
        "pipeline, batch 1": lambda texts: run_peer(texts, 1),
        "pipeline, batch 32": lambda texts: run_peer(texts, 32),
        "labelwise onnx": ours(backend="onnx"),
    }
    if importlib.util.find_spec("openvino"):
        runs["labelwise openvino"] = ours(backend="openvino")
    runs["labelwise engine"] = ours(backend="engine")
    runs["labelwise engine, int8"] = ours(backend="engine", dtype="int8")
    return runs


def operations(tokens: int, rows: int) -> float:
    """Count the useful floating-point operations of a batch: its last layer computes the first rows alone."""
    feed_forward = 2 * (HIDDEN * HIDDEN + 2 * HIDDEN * INNER)
    per_token = 2 * 3 * HIDDEN * HIDDEN + feed_forward + 2 * 4 * tokens * HIDDEN
    last = 2 * 2 * HIDDEN * HIDDEN * tokens + 2 * HIDDEN * HIDDEN + feed_forward + 2 * 4 * tokens * HIDDEN
    return float(rows * (tokens * per_token * (LAYERS - 1) + last))


def matrix_products(threads: int) -> MatrixProducts:
    """Return float32 products of a layer's shapes, by every library that is here."""
    shapes = [(HIDDEN, 3 * HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, INNER), (INNER, HIDDEN)]
    return MatrixProducts.of_shapes(shapes, num_tokens=2048, threads=threads)


def measure_length(
    runs: dict[str, Run], name: str, plan: Plan, products: MatrixProducts
) -> list[dict[str, float | str]]:
    """Return one row per system."""
    count = TOKENS[name] - LABEL_TOKENS
    texts = [" ".join((WORDS * 20)[start : start + count]) for start in range(plan.num_texts)]
    tell(f"{name}: once each, to compare scores")
    scores = {system: np.array(run(texts)) for system, run in runs.items()}
    turns = {system: partial(run, texts) for system, run in runs.items()}
    timings = Turns(rounds=plan.rounds, most_seconds=plan.most_seconds, warm_ups=0).take(
        turns | {f"{MATRIX}{library}": run for library, run in products.runs.items()},
        on_round=lambda done, most: tell(f"{name}: round {done} of {most}"),
    )
    rate = products.rate({library: timings[f"{MATRIX}{library}"] for library in products.runs})
    pairs = plan.num_texts * len(LABELS)
    least = operations(TOKENS[name], pairs) / rate
    base = timings["pipeline, batch 1"]
    rows: list[dict[str, float | str]] = []
    for system in runs:
        timing = timings[system]
        difference = float(np.abs(scores[system] - scores["pipeline, batch 1"]).max())
        rows.append(
            {
                "texts": f"{name} ({TOKENS[name]} tokens)",
                "system": system,
                "tokens_per_s": pairs * TOKENS[name] / timing.median_s,
                "ratio": timing.times_as_fast_as(base),
                "share_of_peak": least / timing.median_s,
                "spread": timing.spread,
                "max_score_difference": difference,
            }
        )
        share = least / timing.median_s
        tell(f"  {system:24} x {timing.times_as_fast_as(base):5.2f}  {share:4.0%} of the matrix rate")
    return rows


def tell(line: str) -> None:
    """Say on stderr how far it is."""
    print(line, file=sys.stderr, flush=True)


def measure_bundled(rounds: int, threads: int) -> dict[str, float]:
    """Return tokens per second of the bundled model, by backend: pairs of 57 tokens, 2,000 at a time."""
    from labelwise.backends import open_backend
    from labelwise.checkpoints import open_checkpoint
    from labelwise.text.sequence import TokenSequence

    checkpoint, random = open_checkpoint("bundled"), np.random.default_rng(0)
    rows = [TokenSequence(random.integers(1000, 20000, 57)) for _ in range(35)]
    backends = {name: open_backend(checkpoint, backend=name, threads=threads) for name in ("engine", "onnx")}
    seconds: dict[str, list[float]] = {name: [] for name in backends}
    for _ in range(rounds + 1):
        for name, backend in backends.items():
            began = time.perf_counter()
            backend.run(rows)
            seconds[name].append(time.perf_counter() - began)
    return {name: 35 * 57 / statistics.median(taken[1:]) for name, taken in seconds.items()}


def main() -> None:
    """Measure and print, and write the JSON file if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--lengths", nargs="+", choices=list(TOKENS), default=list(TOKENS))
    parser.add_argument("--quick", action="store_true", help="fewer texts and rounds, at most 4 minutes")
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    plan = Plan(given.rounds, NUM_TEXTS, float("inf"))
    if given.quick:
        plan = Plan(min(given.rounds, QUICK_ROUNDS), QUICK_TEXTS, QUICK_SECONDS_PER_LENGTH)
    found: dict[str, Any] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load_before": os.getloadavg()[0],
        "threads": given.threads,
        "labels": len(LABELS),
        "texts": plan.num_texts,
        "rounds": plan.rounds,
        "rows": [],
    }
    with tempfile.TemporaryDirectory() as folder:
        tell("opening the systems")
        build_checkpoint(Path(folder))
        runs, products = systems(Path(folder), given.threads), matrix_products(given.threads)
        for name in given.lengths:
            found["rows"] += measure_length(runs, name, plan, products)
            save(found, given.output)
    found["bundled_tokens_per_s"] = measure_bundled(plan.rounds, given.threads)
    save(found, given.output)
    print(json.dumps(found, indent=2))


def save(found: dict[str, Any], output: Path | None) -> None:
    """Write what has been found so far: a run that is broken off leaves it."""
    if output:
        output.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()

"""Compare the packed engine with transformers' pipeline and with our other backends, on the same weights.

Run: python benchmarks/engine.py [--rounds 5] [--threads 2] [--output benchmarks/results/engine.json]
The model has the geometry of deberta-v3-xsmall with random weights, since speed does not depend on them, and
the bundled model's tokenizer. All systems take turns within each round; figures are medians over rounds, and
ratios are to the pipeline as a user writes it (batch 1). ``share_of_peak`` is the useful floating-point work,
padding left out, over the rate of a large float32 matrix product measured in the same rounds. Scores are
compared too: a faster wrong answer would not count.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import labelwise

LABELS = ["billing problem", "delivery delay", "product praise", "account access", "something else"]
TEMPLATE = "This example is {}."
SENTENCE = "the parcel that I ordered last week has not arrived and nobody at the shop answers my calls"
WORDS = SENTENCE.split()
# The tokens of one text with one label; a label with its sentence and the control tokens are about ten.
TOKENS = {"short": 20, "medium": 57, "long": 250}
LABEL_TOKENS = 10
NUM_TEXTS = 12
HIDDEN, INNER, LAYERS, HEADS = 384, 1536, 12, 6
Run = Callable[[list[str]], list[list[float]]]


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
    from transformers import pipeline
    from transformers.utils import logging

    logging.set_verbosity_error()
    peer = pipeline("zero-shot-classification", model=str(folder), device="cpu")

    def run_peer(texts: list[str], batch_size: int) -> list[list[float]]:
        results = peer(texts, LABELS, batch_size=batch_size, hypothesis_template=TEMPLATE)
        found = [dict(zip(result["labels"], result["scores"], strict=True)) for result in results]
        return [[scores[label] for label in LABELS] for scores in found]

    def ours(**settings: str) -> Run:
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


def matrix_seconds_per_operation(threads: int) -> float:
    """Time one large float32 product with as many threads."""
    import torch

    torch.set_num_threads(threads)
    left, right = torch.rand(1536, 1536), torch.rand(1536, 1536)
    began = time.perf_counter()
    for _ in range(4):
        left @ right
    return (time.perf_counter() - began) / (4 * 2 * 1536**3)


def measure_length(
    runs: dict[str, Run], name: str, rounds: int, threads: int
) -> list[dict[str, float | str]]:
    """Return one row per system."""
    count = TOKENS[name] - LABEL_TOKENS
    texts = [" ".join((WORDS * 20)[start : start + count]) for start in range(NUM_TEXTS)]
    scores = {system: np.array(run(texts)) for system, run in runs.items()}
    seconds: dict[str, list[float]] = {system: [] for system in runs}
    per_operation: list[float] = []
    for _ in range(rounds):
        per_operation.append(matrix_seconds_per_operation(threads))
        for system, run in runs.items():
            began = time.perf_counter()
            run(texts)
            seconds[system].append(time.perf_counter() - began)
    pairs = NUM_TEXTS * len(LABELS)
    least = operations(TOKENS[name], pairs) * statistics.median(per_operation)
    base = statistics.median(seconds["pipeline, batch 1"])
    rows: list[dict[str, float | str]] = []
    for system, taken in seconds.items():
        median = statistics.median(taken)
        difference = float(np.abs(scores[system] - scores["pipeline, batch 1"]).max())
        rows.append(
            {
                "texts": f"{name} ({TOKENS[name]} tokens)",
                "system": system,
                "tokens_per_s": pairs * TOKENS[name] / median,
                "ratio": base / median,
                "share_of_peak": least / median,
                "spread": (max(taken) - min(taken)) / median,
                "max_score_difference": difference,
            }
        )
    return rows


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
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        build_checkpoint(Path(folder))
        runs = systems(Path(folder), given.threads)
        rows = [
            row for name in given.lengths for row in measure_length(runs, name, given.rounds, given.threads)
        ]
    found = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load_before": os.getloadavg()[0],
        "threads": given.threads,
        "labels": len(LABELS),
        "rows": rows,
        "bundled_tokens_per_s": measure_bundled(given.rounds, given.threads),
    }
    print(json.dumps(found, indent=2))
    if given.output:
        given.output.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()

"""Compare zero-shot classification with transformers' pipeline on the same weights, texts and labels.

Run: python benchmarks/against_pipeline.py [--rounds 5] [--output benchmarks/results/against_pipeline.json]
The model has the geometry of the bundled one (6 layers, width 384) with random weights, since speed does not
depend on them. All systems take turns within each round; the figures are medians over rounds, and ratios are
to the pipeline as a user writes it (batch 1). Scores are compared too: a faster wrong answer would not count.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import labelwise

LABELS = ["billing problem", "delivery delay", "product praise", "account access", "something else"]
SENTENCE = (
    "the parcel that I ordered last week has not arrived and nobody at the shop answers my calls about it"
)
WORDS = SENTENCE.split()
LENGTHS = {"short (20 words)": 20, "medium (60 words)": 60, "long (250 words)": 250}
NUM_TEXTS = 16


def build_checkpoint(folder: Path) -> None:
    """Write a random entailment model with the bundled model's geometry and tokenizer."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    bundled = labelwise.load().checkpoint.folder
    config = BertConfig.from_pretrained(bundled)
    torch.manual_seed(0)
    model = BertForSequenceClassification(config).eval()
    with torch.no_grad():
        model.classifier.weight.normal_(0.0, 1.0)
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((bundled / name).read_bytes())
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, "model_max_length": 512}))


def systems(folder: Path) -> dict[str, Callable[[list[str]], list[list[float]]]]:
    """Return name -> function from texts to the scores of each text, in label order."""
    from transformers import pipeline
    from transformers.utils import logging

    logging.set_verbosity_error()
    peer = pipeline("zero-shot-classification", model=str(folder), device="cpu")
    ours = labelwise.load(folder)
    bundled = labelwise.load()

    def by_label(names: list[str], scores: list[float]) -> list[float]:
        found = dict(zip(names, scores, strict=True))
        return [found[label] for label in LABELS]

    def run_peer(texts: list[str], batch_size: int) -> list[list[float]]:
        results = peer(texts, LABELS, batch_size=batch_size)
        return [by_label(result["labels"], result["scores"]) for result in results]

    def run_ours(model: labelwise.Model, texts: list[str]) -> list[list[float]]:
        results = model.classify(texts, LABELS, hypothesis_template="This example is {}.")
        return [
            by_label([label.label for label in result.labels], [label.score for label in result.labels])
            for result in results
        ]

    return {
        "pipeline, batch 1": lambda texts: run_peer(texts, 1),
        "pipeline, batch 32": lambda texts: run_peer(texts, 32),
        "labelwise, float32": lambda texts: run_ours(ours, texts),
        "labelwise, bundled 8-bit": lambda texts: run_ours(bundled, texts),
    }


def measure(rounds: int, folder: Path) -> list[dict[str, float | str]]:
    """Return one row per text length and system."""
    runs = systems(folder)
    rows: list[dict[str, float | str]] = []
    for name, num_words in LENGTHS.items():
        texts = [" ".join((WORDS * 20)[start : start + num_words]) for start in range(NUM_TEXTS)]
        seconds: dict[str, list[float]] = {system: [] for system in runs}
        scores = {system: run(texts) for system, run in runs.items()}
        for _ in range(rounds):
            for system, run in runs.items():
                began = time.perf_counter()
                run(texts)
                seconds[system].append(time.perf_counter() - began)
        baseline = statistics.median(seconds["pipeline, batch 1"])
        for system, taken in seconds.items():
            difference = max(
                abs(one - other)
                for ours, peer in zip(scores[system], scores["pipeline, batch 1"], strict=True)
                for one, other in zip(ours, peer, strict=True)
            )
            row: dict[str, float | str] = {
                "texts": name,
                "system": system,
                "texts_per_s": NUM_TEXTS / statistics.median(taken),
                "ratio": baseline / statistics.median(taken),
                "spread": (max(taken) - min(taken)) / statistics.median(taken),
            }
            if "bundled" not in system:  # other weights, other scores
                row["max_score_difference"] = difference
            rows.append(row)
    return rows


def main() -> None:
    """Measure and print, and write the JSON file if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        build_checkpoint(Path(folder))
        rows = measure(given.rounds, Path(folder))
    found = {"machine": f"{platform.machine()}, {os.cpu_count()} cores", "labels": len(LABELS), "rows": rows}
    print(json.dumps(found, indent=2))
    if given.output:
        given.output.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()

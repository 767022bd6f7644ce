"""Time text and labels in one pass against one entailment pair per label, on the same encoder geometry.

Run: python benchmarks/labels_in_one_pass.py [--repetitions 3]
All routes are timed in turn, one after the other, and each figure is the median over the turns. Weights are
random in the geometry of deberta-v3-xsmall; the vocabulary is small, which memory figures leave out. Peak
memory is the kernel's figure for a fresh process that answers one text with 200 labels.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

import labelwise
from labelwise.benchmarking.machine import machine_facts
from labelwise.benchmarking.memory import peak_memory_mb
from labelwise.benchmarking.timing import Turns

LABEL_COUNTS = (2, 10, 50, 200)
TEXT_TOKENS = {"short": 16, "medium": 128, "long": 300}
LONGEST_CASE_S = 45.0  # no further turn begins after this
ROUTES = ("nli", "gliznet", "gliclass")


def words(random: np.random.Generator, count: int) -> str:
    """Return words of the benchmark's vocabulary, one token each."""
    return " ".join(f"w{number}" for number in random.integers(0, 7000, count))


def question(text_tokens: int, num_labels: int) -> tuple[str, list[str]]:
    """Return a text and different labels of two words."""
    random = np.random.default_rng(text_tokens + num_labels)
    return words(random, text_tokens), [f"w{number} {words(random, 1)}" for number in range(num_labels)]


def peak_megabytes(folder: Path) -> float:
    """Return the peak memory of a fresh process that answers one medium text with 200 labels."""
    command = [sys.executable, __file__, "--peak-of", str(folder)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])


def print_peak(folder: str) -> None:
    """Answer once and print this process's peak memory in MB."""
    text, labels = question(TEXT_TOKENS["medium"], 200)
    labelwise.load(folder).classify(text, labels)
    sys.stdout.write(f"{peak_memory_mb():.1f}\n")


def timed_cases(folders: dict[str, Path], repetitions: int) -> list[dict[str, object]]:
    """Time every route on every case, the routes in turn."""
    models = {route: labelwise.load(folder) for route, folder in folders.items()}
    cases = []
    for length, text_tokens in TEXT_TOKENS.items():
        for num_labels in LABEL_COUNTS:
            text, labels = question(text_tokens, num_labels)
            turns = Turns(rounds=repetitions, most_seconds=LONGEST_CASE_S, warm_ups=0)
            timings = turns.take(
                {route: partial(model.classify, text, labels) for route, model in models.items()}
            )
            medians = {route: timing.median_s for route, timing in timings.items()}
            cases.append(
                {
                    "text": length,
                    "text_tokens": text_tokens,
                    "labels": num_labels,
                    "turns": len(timings["nli"].seconds),
                }
                | {f"{route}_texts_per_s": round(1 / median, 3) for route, median in medians.items()}
                | {f"{route}_speedup": round(medians["nli"] / medians[route], 2) for route in ROUTES[1:]}
            )
    return cases


def main() -> None:
    """Run all cases and write the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/labels_in_one_pass.json"))
    parser.add_argument("--peak-of", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peak_of:
        return print_peak(arguments.peak_of)
    import joint_models  # imports torch, which the measured processes must not

    with tempfile.TemporaryDirectory() as place:
        folders = {route: getattr(joint_models, f"save_{route}")(Path(place) / route) for route in ROUTES}
        cases = timed_cases(folders, arguments.repetitions)
        memory = {route: peak_megabytes(folder) for route, folder in folders.items()}
    report = {
        "geometry": "deberta-v3-xsmall (12 layers, width 384), random weights, 8,000 vocabulary rows",
        "rows": "GliZNet at most 20 labels a row, GLiClass 25; more labels are read in several rows",
        "machine": machine_facts(),
        "repetitions": arguments.repetitions,
        "cases": cases,
        "peak_memory_mb_200_labels_medium_text": memory,
    }
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(report, indent=2) + "\n")
    return None


if __name__ == "__main__":
    main()

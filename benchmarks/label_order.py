"""Measure how far scores move when the same labels are given in another order.

Run: python benchmarks/label_order.py [--output benchmarks/results/label_order.json]
Each text is classified with its labels in 10 random orders, once as given and once with the average of
several fixed orders. The weights are random (no published weights can be had here), so the figures say what
the mechanism allows, not how a trained checkpoint behaves; give --model for one of those.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import joint_models
import numpy as np

import labelwise

NUM_ORDERS = 10


def words(random: np.random.Generator, count: int) -> str:
    """Return random words of the benchmark's vocabulary."""
    return " ".join(f"w{number}" for number in random.integers(0, joint_models.NUM_WORDS, count))


def movement(
    model: labelwise.Model, *, num_labels: int, label_orders: int, num_texts: int
) -> dict[str, float]:
    """Return how far each label's score ranges over 10 orders, and how often the best label changes."""
    random = np.random.default_rng(7)
    ranges, relative, flips = [], [], 0
    for _ in range(num_texts):
        text = words(random, 30)
        labels = list({words(random, 2) for _ in range(num_labels)})
        rows, winners = [], set()
        for _ in range(NUM_ORDERS):
            shuffled = [labels[place] for place in random.permutation(len(labels))]
            result = model.classify(text, shuffled, label_orders=label_orders)
            found = {entry.label: entry.score for entry in result.labels}
            rows.append([found[label] for label in labels])
            winners.add(max(found, key=found.__getitem__))
        scores = np.array(rows)
        ranges.append(scores.max(axis=0) - scores.min(axis=0))
        # Logits up to a constant per order, and how far apart the labels of one order lie.
        logits = np.log(scores) - np.log(scores).mean(axis=1, keepdims=True)
        spread = float(logits.std(axis=1).mean())
        relative.append((logits.max(axis=0) - logits.min(axis=0)) / spread)
        flips += len(winners) > 1
    return {
        "max_score_movement": round(float(np.concatenate(ranges).max()), 6),
        "mean_score_movement": round(float(np.concatenate(ranges).mean()), 6),
        "mean_logit_movement_over_spread_of_labels": round(float(np.concatenate(relative).mean()), 4),
        "share_of_texts_whose_best_label_changes": flips / num_texts,
    }


def main() -> None:
    """Run all cases and write the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", help="a checkpoint of your own instead of random weights")
    parser.add_argument("--texts", type=int, default=5)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/label_order.json"))
    arguments = parser.parse_args()
    cases = []
    with tempfile.TemporaryDirectory() as place:
        if arguments.model:
            folders = {arguments.model: arguments.model}
        else:
            folders = {
                "gliznet, random weights": joint_models.save_gliznet(Path(place) / "gliznet"),
                "gliclass, random weights": joint_models.save_gliclass(Path(place) / "gliclass"),
            }
        for name, folder in folders.items():
            model = labelwise.load(folder)
            for num_labels in (5, 20):
                for label_orders in (1, 4):
                    found = movement(
                        model, num_labels=num_labels, label_orders=label_orders, num_texts=arguments.texts
                    )
                    cases.append({"model": name, "labels": num_labels, "label_orders": label_orders} | found)
    report = {"random_orders": NUM_ORDERS, "texts": arguments.texts, "cases": cases}
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()

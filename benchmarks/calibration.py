"""Measure whether the scores of a model mean what they say, before and after calibrating.

Run: python benchmarks/calibration.py --data FOLDER [--model bundled] [--rows 600]
FOLDER holds nli/lingnli_validation.jsonl.gz and classification/NAME.jsonl.gz with datasets.json (templates).

A published model is measured by its hub id, here one that is described as calibrated:
    python benchmarks/calibration.py --data FOLDER --model cross-encoder/nli-deberta-v3-small
which writes benchmarks/results/calibration-cross-encoder-nli-deberta-v3-small.json. The rows "none" are the
model as it is published, whatever its labelwise.json says. On rows of your own, without this script:
    labelwise calibrate cross-encoder/nli-deberta-v3-small ROWS.csv --dry-run

Half of each set is fitted and the other half, never fitted, is measured: without calibration, with the set's
own numbers, and with one temperature for all sets of a kind, as a model would ship it; that one is fitted on
the other sets alone, so it has seen no text of the set and none of its labels.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import labelwise
from labelwise.calibration.fitting import (
    ScoredRows,
    fit_biases,
    fit_scores,
    probabilities,
    score_pairs,
    score_texts,
    split_in_halves,
)
from labelwise.calibration.pooled import pooled_temperature
from labelwise.checkpoints.settings import CheckpointSettings
from labelwise.evaluation.reliability import evaluate_reliability
from labelwise.evaluation.report_table import render_text
from labelwise.files import read_rows

CLASSIFICATION = ("snips", "trec", "uci_sentences", "clickbait", "isear_emotion", "hatecheck")
RAW = CheckpointSettings()


@dataclass(frozen=True)
class Halves:
    """One set: fitted rows, measured rows, and the label biases of the fitted texts."""

    name: str
    fitted: ScoredRows
    held_out: ScoredRows
    biases: dict[str, float]


def spread(path: Path, columns: Sequence[str], limit: int) -> list[dict[str, str]]:
    """Read every n-th row: files are often sorted by label."""
    rows = [row.values for row in read_rows(path, text_columns=columns)]
    return [rows[place * len(rows) // limit] for place in range(limit)] if limit < len(rows) else rows


def pairs_of(model: labelwise.Model, data: Path, limit: int) -> Halves:
    """Score LingNLI."""
    rows = spread(data / "nli/lingnli_validation.jsonl.gz", ["premise", "hypothesis", "label"], limit)
    pairs = [(row["premise"], row["hypothesis"]) for row in rows]
    scored = score_pairs(model, pairs, [row["label"] for row in rows])
    fitted, held_out = split_in_halves(pairs, scored.gold.tolist())
    return Halves("lingnli", scored.at(fitted), scored.at(held_out), {})


def labels_of(model: labelwise.Model, data: Path, name: str, limit: int, *, multi_label: bool) -> Halves:
    """Score a classification set; its fitted texts, taken without labels, give the label biases."""
    about = json.loads((data / "classification/datasets.json").read_text())[name]
    rows = spread(data / f"classification/{name}.jsonl.gz", ["text", "label"], limit)
    texts, gold = [row["text"] for row in rows], [[row["label"]] for row in rows]
    template, labels = about["template"], about["label_names"]
    scored = score_texts(
        model, texts, gold, labels=labels, multi_label=multi_label, hypothesis_template=template
    )
    fitted, held_out = split_in_halves(texts, scored.gold.tolist())
    biases: dict[str, float] = {}
    if not multi_label:
        biases = fit_biases(
            model,
            [texts[place] for place in fitted],
            labels=labels,
            settings=RAW.updated(**fit_scores(scored.at(fitted), RAW)),
            hypothesis_template=template,
        )
    return Halves(name, scored.at(fitted), scored.at(held_out), biases)


def measured(scored: ScoredRows, settings: CheckpointSettings) -> dict[str, float]:
    """Return the measures of held-out rows with these settings."""
    scores = probabilities(scored, settings)
    found = evaluate_reliability(scores, scored.gold)
    figures = {"ece": found.ece, "brier": found.brier, "nll": found.nll}
    if scored.kind != "multi_label":
        figures = {"accuracy": float((scores.argmax(axis=1) == scored.gold).mean()), **figures}
    return {name: round(value, 4) for name, value in figures.items()}


def report_of(entry: Halves, others: Sequence[Halves]) -> list[dict[str, Any]]:
    """Return one row for each way of calibrating a set."""
    kind = entry.held_out.kind
    own = RAW.updated(**fit_scores(entry.fitted, RAW))
    ways = {"none": RAW, "own temperature": own}
    if entry.biases:
        ways["own temperature and biases"] = own.updated(label_biases=entry.biases)
    if others:
        shared = pooled_temperature([other.fitted for other in others])
        ways["temperature of the other sets"] = RAW.updated(task_temperatures={kind: shared})
    return [
        {
            "set": entry.name,
            "scores": kind,
            "rows": len(entry.held_out.gold),
            "calibration": way,
            "temperature": round(settings.temperature_of(kind), 3),
            **measured(entry.held_out, settings),
        }
        for way, settings in ways.items()
    ]


def default_output(model: str) -> Path:
    """Name the result after the model: that of the bundled one has no name."""
    folder = Path("benchmarks/results")
    if model == "bundled":
        return folder / "calibration.json"
    # A hub id by owner and name, a folder by its last two parts.
    return folder / f"calibration-{'-'.join(Path(model).parts[-2:]).lstrip('/')}.json"


def main() -> None:
    """Measure all sets and write the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="bundled")
    parser.add_argument("--rows", type=int, default=600, help="of each set; half of them are measured")
    parser.add_argument("--output", type=Path, help="benchmarks/results/calibration-MODEL.json if left out")
    arguments = parser.parse_args()
    output = arguments.output or default_output(arguments.model)
    model = labelwise.load(arguments.model)
    # Models that only judge labels have no score of a pair.
    sets = [pairs_of(model, arguments.data, 2 * arguments.rows)] if "entail" in model.tasks else []
    for multi_label in (False, True):
        sets += [
            labels_of(model, arguments.data, name, arguments.rows, multi_label=multi_label)
            for name in CLASSIFICATION
        ]
    rows: list[dict[str, Any]] = []
    shipped = {}
    for kind in ("entail", "classify", "multi_label"):
        same = [entry for entry in sets if entry.held_out.kind == kind]
        if not same:
            continue
        shipped[kind] = round(pooled_temperature([entry.fitted for entry in same]), 3)
        for entry in same:
            rows += report_of(entry, [other for other in same if other is not entry])
    print(render_text(rows))
    print(f"one temperature for all sets of a kind: {shipped}")
    report = {"model": arguments.model, "temperature_of_all_sets": shipped, "cases": rows}
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()

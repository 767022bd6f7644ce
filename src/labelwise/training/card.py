"""The model card of a finished run, in the hub's form."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from huggingface_hub import EvalResult, ModelCard, ModelCardData

__all__ = ["DataFile", "write_card"]

_PIPELINE = {"qa": "question-answering"}
_VERB = {"nli": "classify", "labels": "classify", "qa": "answer", "multitask": "classify"}
_TIMINGS = ("runtime", "samples_per_second", "steps_per_second")
_HUB_LICENCES = ("apache-2.0", "mit", "bsd-3-clause", "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "odc-by")
# A hub id, perhaps with a configuration or folder behind it, and a split behind a colon.
_HUB_ID = re.compile(r"([A-Za-z0-9][\w.-]*/[\w.-]+)(/[^:]*)?(:[\w.]+)?")
_FILE_SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".txt", ".parquet", ".gz")
_GENERAL_LIMITS = (
    "Scores are not calibrated probabilities until `labelwise calibrate` has seen data of the use at hand.",
    "The figures above are of the validation data only; other subjects, text types and languages may fare "
    "worse. Measure with `labelwise evaluate` before relying on it.",
    "What the data is biased to, the model is biased to.",
)


class DataFile(TypedDict):
    """A file or data set that was trained on: its rows as used, and its licence as the recipe says."""

    path: str
    rows: int
    licence: str


def write_card(
    path: Path,
    *,
    title: str,
    base: str,
    task: str,
    validation: Mapping[str, Any],
    data: Sequence[DataFile],
    recipe: Mapping[str, Any],
    settings: Mapping[str, Any],
    limits: Sequence[str] = (),
    command: str | None = None,
    origin: str | None = None,
) -> None:
    """Write README.md: metadata that the hub reads, then data, command, hyper-parameters, figures, limits."""
    command = command or f"labelwise train {task} recipe.json --data DATA --output RUN"
    origin = origin or f"Fine-tuned from `{_cell(_base_name(base))}` with `labelwise train {task}`."
    figures = _figures(validation)
    header = _metadata(title, base, task, figures, str(validation.get("file", "validation")), data)
    sections = [
        f"# {_cell(title)}",
        origin,
        _use(task),
        "## Data\n\n"
        + _table(("file", "rows", "licence"), [(d["path"], f"{d['rows']:,}", d["licence"]) for d in data]),
        "## Training\n\n"
        f"```bash\n{command}\n```\n\n"
        + _table(("hyper-parameter", "value"), _hyperparameters(recipe, settings)),
        "## Figures\n\n"
        f"On {_cell(str(validation.get('file', 'the validation data')))}:\n\n"
        + _table(("measure", "value"), [(name, f"{value:.4f}") for name, value in figures.items()]),
        "## Limits\n\n" + "\n".join(f"- {line}" for line in (*limits, *_GENERAL_LIMITS)),
        "<details><summary>recipe.json</summary>\n\n"
        f"```json\n{json.dumps(recipe, indent=2, ensure_ascii=False)}\n```\n\n</details>",
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    ModelCard(f"---\n{header.to_yaml()}\n---\n\n" + "\n\n".join(sections) + "\n").save(path)


def _metadata(
    title: str, base: str, task: str, figures: Mapping[str, float], file: str, data: Sequence[DataFile]
) -> ModelCardData:
    pipeline = _PIPELINE.get(task, "zero-shot-classification")
    results = [
        EvalResult(
            task_type=pipeline,
            dataset_type=file,
            dataset_name=Path(file).name,
            dataset_split="validation",
            metric_type=name,
            metric_value=round(value, 4),
        )
        for name, value in figures.items()
    ]
    header = ModelCardData(
        model_name=title,
        base_model=None if Path(base).is_dir() else _hub_id(base),
        datasets=sorted(filter(None, {_hub_id(entry["path"]) for entry in data})) or None,
        library_name="labelwise",
        pipeline_tag=pipeline,
        tags=["labelwise", f"labelwise-{task}"],
        metrics=list(figures) or None,
        eval_results=results or None,
    )
    _add_licence(header, data)
    return header


def _add_licence(header: ModelCardData, data: Sequence[DataFile]) -> None:
    licences = {entry["licence"].strip().lower() for entry in data}
    if len(licences) == 1 and licences <= set(_HUB_LICENCES):
        header.license = licences.pop()
    else:
        header.license, header.license_name = "other", "see-the-data-table"


def _figures(validation: Mapping[str, Any]) -> dict[str, float]:
    named = {name.removeprefix("eval_"): value for name, value in validation.items()}
    return {
        name: float(value)
        for name, value in named.items()
        if isinstance(value, (int, float)) and name not in (*_TIMINGS, "epoch")
    }


def _hyperparameters(recipe: Mapping[str, Any], settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    chosen = {"seed": recipe.get("seed"), **recipe.get("hyperparameters", {}), **settings}
    return [(name, json.dumps(value)) for name, value in chosen.items() if value is not None]


def _use(task: str) -> str:
    calls = {
        "classify": 'model.classify("The match ended in a draw.", labels=["sports", "politics"])',
        "answer": 'model.answer("Who won?", context="The home side won by two goals.")',
    }
    call = calls[_VERB.get(task, "classify")]
    return f'```python\nimport labelwise\n\nmodel = labelwise.load("FOLDER_OR_HUB_ID")\n{call}\n```'


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(map(_cell, row)) + " |" for row in rows)])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _hub_id(name: str) -> str | None:
    found = _HUB_ID.fullmatch(name)
    return None if found is None or name.endswith(_FILE_SUFFIXES) else found[1]


def _base_name(base: str) -> str:
    # A path says where things lie on one machine: nobody else's business.
    return Path(base).name if Path(base).is_dir() else base

"""What a run never read: pairs and questions to fit a finished model's temperatures and thresholds on."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Sequence
from pathlib import Path

from labelwise.errors import DataError
from labelwise.text.tokenizer import TextTokenizer
from labelwise.training.base import base_folder
from labelwise.training.mix import training_pairs
from labelwise.training.multitask.answer_task import read_answer_task
from labelwise.training.multitask.label_rows import read_source
from labelwise.training.multitask.plan import task_batches, task_order
from labelwise.training.multitask.recipe import MultitaskRecipe, load_multitask_recipe
from labelwise.training.qa.examples import QaExample
from labelwise.training.recipe import NliRecipe, load_recipe
from labelwise.training.records import Pair, read_pairs

__all__ = ["unread_pairs", "unread_questions", "write_unread"]

log = logging.getLogger("labelwise.training")


def write_unread(recipe: Path, data_dir: Path, output_dir: Path) -> None:
    """Write what the run of a recipe, and the runs that it starts from, never read.

    ``output_dir`` gets one JSONL file of pairs for each file that the entailment recipe draws a part of, and
    ``questions.json`` in SQuAD's layout.

    Raises:
        DataError: a data file is missing, or everything was read.
    """
    runs = [load_multitask_recipe(recipe)]
    while runs[-1].earlier_recipe is not None:
        runs.append(load_multitask_recipe(recipe.parent / runs[-1].earlier_recipe))
    pairs = unread_pairs(load_recipe(recipe.parent / runs[0].entail_recipe), runs, data_dir)
    questions = unread_questions(runs, data_dir)
    output_dir.mkdir(parents=True, exist_ok=True)
    for name, found in pairs.items():
        with gzip.open(output_dir / name, "wt", encoding="utf-8") as file:
            for pair in found:
                row = {"premise": pair.premise, "hypothesis": pair.hypothesis, "label": pair.label}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        log.info("%7d pairs of %s were never read", len(found), name)
    document = {"version": "v2.0", "data": [{"title": "unread", "paragraphs": [*map(_paragraph, questions)]}]}
    (output_dir / "questions.json").write_text(json.dumps(document), encoding="utf-8")
    log.info("%7d questions were never read", len(questions))


def unread_pairs(
    entail_recipe: NliRecipe, runs: Sequence[MultitaskRecipe], data_dir: Path
) -> dict[str, list[Pair]]:
    """Return, for each file that is read in part, its pairs whose premise no run has seen."""
    seen = {pair.premise for pair in training_pairs(entail_recipe, data_dir)[0]}
    for run in runs:
        for source in run.classify:
            if source.kind == "pairs":
                seen |= {row.text for row in read_source(source, data_dir, seed=run.seed).rows}
    found = {
        _file_name(source.path): [
            pair for pair in read_pairs(data_dir / source.path).rows if pair.premise not in seen
        ]
        for source in entail_recipe.sources
        if source.kind == "pairs" and source.path is not None and source.max_rows is not None
    }
    return {name: pairs for name, pairs in found.items() if pairs}


def unread_questions(runs: Sequence[MultitaskRecipe], data_dir: Path) -> list[QaExample]:
    """Return the last run's questions, those made unanswerable among them, that no step of any run reads.

    Raises:
        DataError: every question was read.
    """
    read: set[tuple[str, str]] = set()
    for run in reversed(runs):
        task = read_answer_task(run, TextTokenizer.from_folder(base_folder(run.base)), data_dir)
        chosen = run.hyperparameters
        num_steps = task_order(chosen.steps, chosen.shares, seed=run.seed).count("answer")
        for rows in task_batches(
            "answer", task.lengths, num_steps, batch_size=chosen.batch_sizes["answer"], seed=run.seed
        ):
            for place in task.features.example_indices[task.places[rows]]:
                read.add(_key(task.examples[place]))
    unread = [example for example in task.examples if _key(example) not in read]
    if not unread:
        raise DataError("every question was read: hold a file back from the recipe instead")
    return unread


def _file_name(path: str) -> str:
    # Read back by its ending, and apart from a file of the same name in another folder.
    name = path.replace("/", "_")
    for ending in (".gz", ".jsonl", ".json", ".csv", ".tsv", ".parquet"):
        name = name.removesuffix(ending)
    return f"{name}.jsonl.gz"


def _key(example: QaExample) -> tuple[str, str]:
    return example.question, example.context


def _paragraph(example: QaExample) -> dict[str, object]:
    answers = [{"text": text, "answer_start": start} for start, text in example.answers]
    asked = {
        "id": example.id,
        "question": example.question,
        "answers": answers,
        "is_impossible": example.is_impossible,
    }
    return {"context": example.context, "qas": [asked]}

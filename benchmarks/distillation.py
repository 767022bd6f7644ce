"""Halve an NLI model's layers, and see what fine-tuning and a teacher's signal give back.

Run: python benchmarks/distillation.py --model FOLDER --data DIR [--recipe recipes/student-nli.json]
     [--work runs/distillation] [--output benchmarks/results/distillation.json]
One student of 3 layers (or --encoder-layers) is copied from the model and fine-tuned twice by the same
recipe, in the same data order: from hard labels alone (No Teacher Distillation), and with the model's soft
labels, and hidden states if asked for, on top. A run that was cut off goes on when the script is started
again. Accuracy is of the recipe's validation file and of files that nothing was trained or chosen on; speed
is through labelwise.load on the CPU, the models taking turns.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
from dataclasses import replace
from pathlib import Path
from typing import Any

from labelwise.cli.distill_report import Comparison, LabelledSet, compare
from labelwise.distillation.finetune import Signal
from labelwise.distillation.plan import plan_student
from labelwise.distillation.shrink import read_config, shrink
from labelwise.training.distilling import Lessons, fine_tune_student
from labelwise.training.recipe import NliRecipe, load_recipe

REPORT_FILES = ("nli/mnli_matched_report.jsonl.gz", "nli/snli_test_report.jsonl.gz")
ALONE, TAUGHT = "student, hard labels alone", "student, teacher's signal on top"


def parse() -> argparse.Namespace:
    """Read the flags."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True, help="an NLI model of a family that can be cut")
    parser.add_argument("--data", type=Path, required=True, help="the folder of the recipe's files")
    parser.add_argument("--recipe", type=Path, default=Path("recipes/student-nli.json"))
    parser.add_argument("--work", type=Path, default=Path("runs/distillation"), help="for the three students")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/distillation.json"))
    parser.add_argument("--encoder-layers", type=int, default=3)
    parser.add_argument("--steps", type=int, help="instead of the recipe's max_steps")
    parser.add_argument("--soft-label-weight", type=float, default=1.0)
    parser.add_argument("--hidden-state-weight", type=float, default=0.0)
    parser.add_argument("--temperature", type=float, default=2.0)
    parser.add_argument("--measure-on", nargs="*", default=REPORT_FILES, help="further files of --data")
    parser.add_argument("--limit", type=int, help="measure on that many rows of each file")
    return parser.parse_args()


def fine_tuned(recipe: NliRecipe, student: Path, given: argparse.Namespace) -> dict[str, Path]:
    """Train the student both ways and return the models by name."""
    signal = Signal(
        soft_label_weight=given.soft_label_weight,
        hidden_state_weight=given.hidden_state_weight,
        temperature=given.temperature,
    )
    runs = {ALONE: ("alone", Lessons()), TAUGHT: ("taught", Lessons(teacher=given.model, signal=signal))}
    return {
        name: fine_tune_student(
            recipe,
            student,
            data_dir=given.data,
            output_dir=given.work / folder,
            lessons=lessons,
            resume=(given.work / folder).is_dir(),
        )
        for name, (folder, lessons) in runs.items()
    }


def training_figures(work: Path) -> dict[str, Any]:
    """Return what the two runs say of themselves, without their curves."""
    found = {}
    for name in ("alone", "taught"):
        metrics = json.loads((work / name / "metrics.json").read_text())
        found[name] = {key: metrics[key] for key in ("train_pairs", "settings", "validation")}
    return found


def gain(comparison: Comparison) -> float:
    """Return by how much the teacher's signal raises the accuracy."""
    accuracy = {system.name: system.accuracy for system in comparison.systems}
    return accuracy[TAUGHT] - accuracy[ALONE]


def main() -> None:
    """Cut, train, measure, print, and write the JSON file."""
    given = parse()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    recipe = load_recipe(given.recipe)
    if given.steps is not None:
        recipe = replace(recipe, hyperparameters=replace(recipe.hyperparameters, max_steps=given.steps))
    plan = plan_student(read_config(given.model), encoder_layers=given.encoder_layers)
    student = given.work / "student"
    if not student.is_dir():
        shrink(given.model, plan, output=student)
    systems = {"teacher": given.model, "student, as cut": student, **fine_tuned(recipe, student, given)}
    tests = [LabelledSet.of_recipe(recipe, given.data, limit=given.limit)]
    tests += [LabelledSet.of_file(given.data / name, limit=given.limit) for name in given.measure_on]
    # How fast a model is does not hang on the file: one thorough measurement is enough.
    comparisons = [compare(systems, test, speed_rounds=1 if at else 5) for at, test in enumerate(tests)]
    for comparison in comparisons:
        print("\n".join(comparison.lines()) + "\n")
    report = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "recipe": given.recipe.name,
        "steps": recipe.hyperparameters.max_steps,
        "plan": plan.to_dict(),
        "fine_tuning": training_figures(given.work),
        "comparisons": [comparison.to_dict() for comparison in comparisons],
        "accuracy_gained_by_the_teacher": {
            comparison.measured_on: round(gain(comparison), 4) for comparison in comparisons
        },
    }
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps(report, indent=2) + "\n")
    print(f"written to {given.output}")


if __name__ == "__main__":
    main()

"""``labelwise distill``: a smaller student from a teacher's folder, fine-tuned and measured if wanted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labelwise.cli import options
from labelwise.cli.distill_options import LayerOptions, MeasureOptions, TuningOptions, VocabularyOptions
from labelwise.cli.expand import expand_flags
from labelwise.cli.train_options import FitOptions
from labelwise.errors import InputError

if TYPE_CHECKING:
    from labelwise.distillation.plan import StudentPlan

__all__ = ["distill"]


@expand_flags
def distill(
    folder: Annotated[
        Path, typer.Argument(help="The teacher's folder; --dry-run reads only its config.json.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "--to", help="The student's folder; it must not exist yet.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the sizes and write nothing.")] = False,
    json_output: options.JsonOutput = False,
    *,
    layers: LayerOptions,
    vocabulary: VocabularyOptions,
    tuning: TuningOptions,
    fit: FitOptions,
    measuring: MeasureOptions,
) -> None:
    """Make a smaller student by copying layers of a teacher, fine-tune it, and compare the two.

    Example: labelwise distill bart-large-mnli --encoder-layers 12 --decoder-layers 1 --dry-run

    Example: labelwise distill teacher --encoder-layers 3 --trim-vocabulary texts.txt --output student

    Example: labelwise distill teacher --encoder-layers 3 --output run --fine-tune recipe.json --data data
    """
    from labelwise.distillation.plan import plan_student
    from labelwise.distillation.shrink import read_config

    _check_usage(output, dry_run, vocabulary, tuning, fit, measuring)
    plan = plan_student(read_config(folder), encoder_layers=layers.encoder(), decoder_layers=layers.decoder())
    report, lines = plan.to_dict(), _table(plan)
    if output is not None:
        from labelwise.cli.distill_run import DistillRun

        run = DistillRun(
            folder=folder,
            plan=plan,
            output=output,
            vocabulary=vocabulary,
            tuning=tuning,
            fit=fit,
            measuring=measuring,
        )
        fine_tune, data = tuning.fine_tune, tuning.data
        found = run.cut() if fine_tune is None or data is None else run.fine_tune(fine_tune, data)
        if found is None:
            return
        report |= found.report
        lines += found.lines
    if json_output:
        from json import dumps

        lines = [dumps(report, ensure_ascii=False)]
    for line in lines:
        typer.echo(line)


def _check_usage(
    output: Path | None,
    dry_run: bool,
    vocabulary: VocabularyOptions,
    tuning: TuningOptions,
    fit: FitOptions,
    measuring: MeasureOptions,
) -> None:
    if dry_run == (output is not None):
        raise InputError("give --dry-run to see the sizes, or --output FOLDER to write the student")
    if dry_run and vocabulary.trim_vocabulary is not None:
        raise InputError("--trim-vocabulary needs --output: what is kept shows only when the texts are read")
    if dry_run and (tuning.fine_tune is not None or measuring.labelled is not None):
        raise InputError(
            "--fine-tune and --labelled need --output: --dry-run makes no student to train or measure"
        )
    if tuning.fine_tune is None and (fit.changes() or fit.deepspeed is not None):
        raise InputError("--batch-size, --precision and the like belong to --fine-tune RECIPE: give that too")
    if measuring.limit is not None and tuning.fine_tune is None and measuring.labelled is None:
        raise InputError("--limit belongs to --labelled FILE or --fine-tune RECIPE: give one of them")


def _table(plan: StudentPlan) -> list[str]:
    lines = [f"{'':<12}{'teacher':>15}{'student':>15}"]
    student = plan.student.to_dict()
    for part, number in plan.teacher.to_dict().items():
        if number or student[part]:
            lines.append(f"{part:<12}{number:>15,}{student[part]:>15,}")
    lines.append(f"{'ratio':<12}{'100.0 %':>15}{100 * plan.ratio:>13.1f} %")
    for side, layers in plan.kept.items():
        lines.append(f"{side} layers kept: {','.join(map(str, layers))}")
    return lines

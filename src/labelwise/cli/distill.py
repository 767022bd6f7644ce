"""``labelwise distill``: a smaller student from a teacher's folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labelwise.cli import options
from labelwise.errors import InputError

if TYPE_CHECKING:
    from labelwise.distillation.plan import StudentPlan

__all__ = ["distill"]


def distill(
    folder: Annotated[
        Path, typer.Argument(help="The teacher's folder; --dry-run reads only its config.json.")
    ],
    encoder_layers: Annotated[
        int | None, typer.Option(help="Encoder layers that the student keeps; left out: all.")
    ] = None,
    decoder_layers: Annotated[
        int | None, typer.Option(help="Decoder layers that the student keeps (BART); left out: all.")
    ] = None,
    keep_layers: Annotated[
        str | None, typer.Option(help="The encoder layers to keep by number, such as 0,4,8,11.")
    ] = None,
    keep_decoder_layers: Annotated[
        str | None, typer.Option(help="The decoder layers to keep by number (BART).")
    ] = None,
    trim_vocabulary: Annotated[
        Path | None, typer.Option(help="Keep only the tokens that the lines of this text file need.")
    ] = None,
    held_out: Annotated[
        Path | None, typer.Option(help="Other texts: say how many of them the trimming changes.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="The student's folder; it must not exist yet.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the sizes and write nothing.")] = False,
    json_output: options.JsonOutput = False,
) -> None:
    """Make a smaller student by copying layers of a teacher, ready to be fine-tuned.

    Example: labelwise distill bart-large-mnli --encoder-layers 12 --decoder-layers 1 --dry-run

    Example: labelwise distill teacher --encoder-layers 3 --trim-vocabulary texts.txt --output student
    """
    from labelwise.distillation.plan import plan_student
    from labelwise.distillation.shrink import read_config

    if dry_run == (output is not None):
        raise InputError("give --dry-run to see the sizes, or --output FOLDER to write the student")
    if dry_run and trim_vocabulary is not None:
        raise InputError("--trim-vocabulary needs --output: what is kept shows only when the texts are read")
    if held_out is not None and trim_vocabulary is None:
        raise InputError("--held-out measures --trim-vocabulary: give both")
    plan = plan_student(
        read_config(folder),
        encoder_layers=_asked(encoder_layers, keep_layers, flag="--keep-layers"),
        decoder_layers=_asked(decoder_layers, keep_decoder_layers, flag="--keep-decoder-layers"),
    )
    report = plan.to_dict()
    lines = _table(plan)
    if output is not None:
        trimmed = _write(folder, plan, output, trim_vocabulary, held_out)
        report |= {"output": str(output), **trimmed}
        lines += [*(f"{name.replace('_', ' ')}  {value}" for name, value in trimmed.items())]
        lines.append(f"student written to {output}")
    if json_output:
        from json import dumps

        lines = [dumps(report, ensure_ascii=False)]
    for line in lines:
        typer.echo(line)


def _asked(depth: int | None, listed: str | None, *, flag: str) -> int | tuple[int, ...] | None:
    if listed is None:
        return depth
    if depth is not None:
        raise InputError(f"give the number of layers or {flag}, not both")
    try:
        return tuple(int(number) for number in listed.split(","))
    except ValueError as error:
        raise InputError(f"{flag} {listed!r} is not a list of numbers such as 0,4,8,11") from error


def _write(
    folder: Path, plan: StudentPlan, output: Path, texts_file: Path | None, held_out: Path | None
) -> dict[str, object]:
    from labelwise.distillation.shrink import shrink

    if texts_file is None:
        shrink(folder, plan, output=output)
        return {}
    from labelwise.distillation.vocabulary import read_texts, trim_vocabulary

    other = read_texts(held_out) if held_out is not None else []
    report = trim_vocabulary(folder, read_texts(texts_file), output=output, plan=plan, held_out=other)
    return report.to_dict()


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

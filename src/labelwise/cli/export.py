"""``labelwise export``: files for other runtimes, proven against the float32 torch model."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labelwise.cli import options
from labelwise.cli.expand import expand_flags

if TYPE_CHECKING:
    from labelwise.export.run import ExportSettings

__all__ = ["export"]

_USUAL_GATE_INPUTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What to make."""

    format: Annotated[
        list[str] | None,
        typer.Option(
            help="safetensors, onnx (the usual), openvino, transformersjs or sentence-transformers; may be "
            "given several times."
        ),
    ] = None
    precision: Annotated[
        list[str] | None,
        typer.Option(help="fp32 (the usual), fp16, bf16, int8, q4 or q4f16; may be given several times."),
    ] = None
    mixed_precision: Annotated[
        bool,
        typer.Option("--mixed-precision", help="Keep in float32 the parts that hurt, where the gate fails."),
    ] = False
    trim_vocabulary: Annotated[
        Path | None, typer.Option(help="Keep only the tokens that the lines of this text file need.")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gate:
    """What the files are tried on."""

    labelled: Annotated[
        Path | None,
        typer.Option(help="JSONL rows with right answers: accuracy may drop by 0.5 points at most."),
    ] = None
    texts: Annotated[
        Path | None, typer.Option(help="A text file to make the gate's inputs of; made-up ones if left out.")
    ] = None
    gate_inputs: Annotated[int, typer.Option(help="For tests: inputs of the gate.", hidden=True)] = (
        _USUAL_GATE_INPUTS
    )
    threads: Annotated[int | None, typer.Option(help="Threads of the runtimes.")] = None

    def settings(self, wanted: _Wanted) -> ExportSettings:
        from labelwise.distillation.vocabulary import read_texts
        from labelwise.export import ExportSettings

        return ExportSettings(
            formats=tuple(wanted.format or ("onnx",)),
            precisions=tuple(wanted.precision or ("fp32",)),
            searches_mixed=wanted.mixed_precision,
            texts=() if self.texts is None else tuple(read_texts(self.texts)),
            labelled=self.labelled,
            trim_corpus=wanted.trim_vocabulary,
            num_gate_inputs=self.gate_inputs,
            threads=self.threads,
        )


@expand_flags
def export(
    model: Annotated[str, typer.Argument(help="'bundled', a folder, or a hub id.")],
    to: Annotated[Path, typer.Option(help="The folder to make; it must not exist yet.")],
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit of a hub id.")] = None,
    json_output: options.JsonOutput = False,
    quiet: options.Quiet = False,
    *,
    wanted: _Wanted,
    gate: _Gate,
) -> None:
    """Export a model, and keep it only where its logits are those of the float32 torch model.

    Example: labelwise export model --to exported --format onnx --precision fp32 --precision int8

    Example: labelwise export model --to web --format transformersjs --precision q4 --mixed-precision
    """
    from labelwise.export import export_model

    settings = gate.settings(wanted)
    report = export_model(
        model,
        to=to,
        settings=settings,
        revision=revision,
        on_progress=None if quiet or json_output else _progress(),
    )
    if json_output:
        from json import dumps

        typer.echo(dumps(report.to_dict(), ensure_ascii=False))
        return
    lines = [*report.table(), *(report.trimming.lines() if report.trimming is not None else [])]
    for line in [*lines, f"exported to {to}"]:
        typer.echo(line)


def _progress() -> Callable[[str, int, int], None] | None:
    """Show each stage on a line of its own that is written over; nothing where stderr is no terminal."""
    if not sys.stderr.isatty():
        return None

    def show(stage: str, done: int, total: int) -> None:
        sys.stderr.write(f"\r\x1b[2K{stage}  {done}/{total}")
        if done >= total:
            sys.stderr.write("\r\x1b[2K")
        sys.stderr.flush()

    return show

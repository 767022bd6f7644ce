"""``labelwise export``: files for other runtimes, proven against the float32 torch model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labelwise.cli import options
from labelwise.cli.evaluate_progress import ProgressLine
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
        typer.Option(
            help="fp32 (the usual), fp16, bf16, int8, q4 or q4f16; each one given is a file of its own, such "
            "as onnx/model_fp16.onnx or model.fp16.safetensors. Safetensors: fp32, fp16, bf16; OpenVINO: "
            "fp32, fp16, int8."
        ),
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
    progress = None if quiet or json_output else _StageProgress()
    report = export_model(
        model,
        to=to,
        settings=settings,
        revision=revision,
        on_progress=progress,
    )
    if progress is not None:
        progress.clear()
    if json_output:
        from json import dumps

        typer.echo(dumps(report.to_dict(), ensure_ascii=False))
        return
    lines = [*report.table(), *(report.trimming.lines() if report.trimming is not None else [])]
    for line in [*lines, f"exported to {to}"]:
        typer.echo(line)


class _StageProgress:
    """Shows each stage with its rate and the time left: one renewed line, or in a log now and then one."""

    def __init__(self) -> None:
        self._stage: str | None = None
        self._line: ProgressLine | None = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show how far a stage is."""
        if stage != self._stage:
            self.clear()
            self._stage = stage
            self._line = ProgressLine(stage, unit="parts" if stage.startswith("parts") else "inputs")
        if self._line is not None and total > 1:
            self._line(done, total)

    def clear(self) -> None:
        """Take the line away."""
        if self._line is not None:
            self._line.clear()

"""Flags that several verbs share, in one wording."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from labelwise.errors import InputError

if TYPE_CHECKING:
    from labelwise.files import RowSource, RowTarget
    from labelwise.model import Model

__all__ = ["FileOptions", "JsonOutput", "ModelOptions", "Quiet", "Truncation"]

Truncation = Annotated[
    Literal["window", "truncate", "error"],
    typer.Option(
        help="Long texts: 'window' reads all in parts, 'truncate' cuts and says so, 'error' refuses."
    ),
]
JsonOutput = Annotated[bool, typer.Option("--json", help="Print one JSON object per result and line.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bar.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOptions:
    """Which model runs, and on what."""

    model: Annotated[str, typer.Option(help="'bundled', a folder, or a hub id.")] = "bundled"
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit of a hub id.")] = None
    backend: Annotated[str, typer.Option(help="auto, engine, onnx, openvino or torch.")] = "auto"
    device: Annotated[str, typer.Option(help="auto, cpu or cuda (torch backend).")] = "auto"
    dtype: Annotated[str, typer.Option(help="auto, float32, bfloat16 or float16 (torch), int8 (engine).")] = (
        "auto"
    )
    threads: Annotated[int | None, typer.Option(help="Threads of the backend.")] = None
    batch_tokens: Annotated[int, typer.Option(help="Most tokens in one padded batch.")] = 2048
    calibration: Annotated[
        Path | None, typer.Option(help="A file from 'labelwise calibrate --to', for this model.")
    ] = None

    def load(self) -> Model:
        """Load the model."""
        from labelwise import load

        return load(
            self.model,
            revision=self.revision,
            backend=self.backend,
            device=self.device,
            dtype=self.dtype,
            threads=self.threads,
            batch_tokens=self.batch_tokens,
            calibration=self.calibration,
        )

    def identity(self) -> dict[str, str]:
        """Return what a resumed job must have in common with the one that it goes on with."""
        calibration = "" if self.calibration is None else self.calibration.read_text(encoding="utf-8")
        return {"model": self.model, "calibration": calibration}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOptions:
    """Where rows come from and go to."""

    input_file: Annotated[
        Path | None,
        typer.Option("--input", help="Rows to read: .txt .csv .tsv .jsonl .parquet, or - for stdin."),
    ] = None
    input_format: Annotated[
        str | None, typer.Option(help="txt, csv, tsv, jsonl or parquet, where the name does not tell.")
    ] = None
    output_file: Annotated[
        Path | None,
        typer.Option("--output", help="Rows to write: .csv .tsv .jsonl .parquet; stdout if left out."),
    ] = None
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output if it exists.")] = False
    on_bad_row: Annotated[
        Literal["stop", "skip"], typer.Option(help="A broken row: stop, or leave it out and go on.")
    ] = "stop"
    raw_csv: Annotated[
        bool, typer.Option("--raw-csv", help="Leave cells alone that a spreadsheet would run as formulas.")
    ] = False

    @property
    def are_used(self) -> bool:
        """True when rows are asked for, rather than arguments or lines."""
        return self.input_file is not None or self.output_file is not None

    def source(self, *, columns: list[str]) -> RowSource:
        """Name the input, stdin by default, and the columns that must hold text."""
        from labelwise.files import RowSource

        return RowSource.at(
            self.input_file or "-",
            format=self.input_format,
            text_columns=columns,
            on_bad_row=self.on_bad_row,
        )

    def target(self) -> RowTarget:
        """Name the output; rows go to stdout as JSONL when none was given."""
        from labelwise.files import RowTarget

        if self.resume and self.output_file is None:
            raise InputError("--resume needs --output: what went to stdout cannot be continued")
        return RowTarget.at(self.output_file or "-", raw_csv=self.raw_csv, overwrite=self.overwrite)

"""What an export made, with the figures that prove it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labelwise.export.gate import GateFigures
from labelwise.export.request import Artefact
from labelwise.export.trimming import TrimEffect

__all__ = ["ExportReport", "ExportedFile"]

_COLUMNS = (
    "file", "precision", "MB", "of fp32", "ms/text", "agreement", "largest diff", "accuracy", "kept fp32"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """One weight file.

    Attributes:
        names: the files it is made of, the one to load first.
        share_of_float32: its bytes against those of the float32 weights; None where these are not known.
        kept_float32: parts that the mixed-precision search left in float32.
        opset: of its ONNX graph; None for other kinds.
        ms_per_text: median time of one row of ``speed_tokens`` tokens on this machine's CPU.
        figures: the gate's; None for a file that was copied as it is.
    """

    artefact: Artefact
    names: tuple[str, ...]
    num_bytes: int
    share_of_float32: float | None
    kept_float32: tuple[str, ...]
    opset: int | None
    ms_per_text: float
    speed_tokens: int
    figures: GateFigures | None

    def to_dict(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        return {
            "file": self.artefact.name,
            "files": list(self.names),
            "kind": self.artefact.kind,
            "precision": self.artefact.precision,
            "bytes": self.num_bytes,
            "share_of_float32": self.share_of_float32,
            "kept_float32": list(self.kept_float32),
            "opset": self.opset,
            "ms_per_text": round(self.ms_per_text, 3),
            "speed_tokens": self.speed_tokens,
            "gate": None if self.figures is None else self.figures.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class ExportReport:
    """All files of an export.

    Attributes:
        ms_per_text_torch: the float32 torch model's time, None without one.
        trimming: of the vocabulary; None where it is whole.
        widened_from: the ONNX file whose weights, widened, are the float32 torch model; None where the model
            has safetensors, or where the file was only copied.
    """

    folder: Path
    files: tuple[ExportedFile, ...]
    ms_per_text_torch: float | None
    trimming: TrimEffect | None = None
    widened_from: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        return {
            "folder": str(self.folder),
            "exports": [file.to_dict() for file in self.files],
            "ms_per_text_torch": self.ms_per_text_torch,
            "trimming": None if self.trimming is None else self.trimming.to_dict(),
            "widened_from": self.widened_from,
        }

    def table(self) -> list[str]:
        """Return a table for people, one line a file."""
        rows = [_COLUMNS, *map(_cells, self.files)]
        widths = [max(len(row[place]) for row in rows) for place in range(len(_COLUMNS))]
        lines = ["  ".join(map(str.ljust, row, widths)) for row in rows]
        for file in self.files:
            lines += _head_lines(file)
        if self.widened_from is not None:
            lines.append(f"compared with the weights stored in {self.widened_from}, widened to float32")
        if self.ms_per_text_torch is not None:
            lines.append(
                f"float32 torch: {self.ms_per_text_torch:.1f} ms/text ({self.files[0].speed_tokens} tokens)"
            )
        return [line.rstrip() for line in lines]


def _head_lines(file: ExportedFile) -> list[str]:
    """Return a line for each head of a model that has several."""
    heads = () if file.figures is None else file.figures.by_head
    if len(heads) < 2:
        return []
    return [
        f"{file.artefact.name}, {head.name}: {100 * head.agreement:.2f} % of {head.num_decisions:,} "
        f"decisions agree, largest difference {head.largest_difference:.1e}"
        for head in heads
    ]


def _cells(file: ExportedFile) -> tuple[str, ...]:
    figures, share = file.figures, file.share_of_float32
    accuracy = "-"
    if figures is not None and figures.accuracy is not None and figures.accuracy_float32 is not None:
        accuracy = f"{100 * figures.accuracy:.2f} % (fp32 {100 * figures.accuracy_float32:.2f} %)"
    return (
        file.artefact.name,
        file.artefact.precision,
        f"{file.num_bytes / 1e6:.1f}",
        "-" if share is None else f"{100 * share:.0f} %",
        f"{file.ms_per_text:.1f}",
        "copied" if figures is None else f"{100 * figures.agreement:.2f} %",
        "-" if figures is None else f"{figures.largest_difference:.1e}",
        accuracy,
        f"{len(file.kept_float32)} parts" if file.kept_float32 else "-",
    )

"""Models that have ONNX weights alone: their file is passed on as it is."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from labelwise.checkpoints.stored_weights import read_stored_weights
from labelwise.errors import InputError
from labelwise.export.gate import run_all
from labelwise.export.gate_rows import make_gate_rows
from labelwise.export.report import ExportedFile
from labelwise.export.request import Artefact, Precision
from labelwise.export.speed import SPEED_TOKENS, ms_per_text
from labelwise.model import Model

__all__ = ["copy_stored"]

_PRECISIONS: Final[Mapping[str, Precision]] = {
    "float32": "fp32", "float16": "fp16", "bfloat16": "bf16", "int8": "int8", "q4": "q4", "q4f16": "q4f16",
}  # fmt: skip
_RUN_INPUTS: Final = 100


def copy_stored(model: Model, artefacts: Sequence[Artefact], folder: Path) -> tuple[ExportedFile, ...]:
    """Copy the model's own ONNX file, after it has run on rows of all lengths.

    Raises:
        InputError: another precision or kind of file is asked for.
        BackendError: it does not run.
        OSError: it cannot be copied.
    """
    checkpoint = model.checkpoint
    source = checkpoint.onnx_files[0]
    stored = _PRECISIONS.get(read_stored_weights(checkpoint.folder, source).precision)
    (artefact, *others) = artefacts
    if others or artefact.kind != "onnx" or artefact.precision != stored:
        raise InputError(
            f"{checkpoint.ref!r} has only ONNX weights in {stored or 'mixed precision'}, from which nothing "
            f"else can be made: use --format onnx or transformersjs with --precision {stored or 'fp32'}, "
            "or a model with safetensors"
        )
    rows = make_gate_rows(model, count=_RUN_INPUTS)
    run_all(model.backend, rows)
    target = folder / artefact.name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    row = min(
        (row for batch in rows.batches for row in batch), key=lambda entry: abs(len(entry) - SPEED_TOKENS)
    )
    exported = ExportedFile(
        artefact=artefact,
        names=(artefact.name,),
        num_bytes=target.stat().st_size,
        share_of_float32=None,
        kept_float32=(),
        opset=None,
        ms_per_text=ms_per_text(model.backend, row),
        speed_tokens=len(row),
        figures=None,
    )
    return (exported,)

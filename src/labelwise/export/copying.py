"""Models that have ONNX weights alone: the file as it is, and its weights widened for other files."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.files import WEIGHTS_FILE
from labelwise.checkpoints.manifest import MANIFEST_FILE
from labelwise.checkpoints.opening import open_checkpoint
from labelwise.checkpoints.stored_weights import read_stored_weights
from labelwise.checkpoints.widened import read_widened
from labelwise.errors import CheckpointError, InputError
from labelwise.export.gate import run_all
from labelwise.export.gate_rows import make_gate_rows
from labelwise.export.report import ExportedFile
from labelwise.export.request import Artefact, Precision
from labelwise.export.speed import SPEED_TOKENS, ms_per_text
from labelwise.model import Model

__all__ = ["copy_stored", "refuse_unwidenable", "stored_artefact", "with_widened_files"]

_PRECISIONS: Final[Mapping[str, Precision]] = {
    "float32": "fp32", "float16": "fp16", "bfloat16": "bf16", "int8": "int8", "q4": "q4", "q4f16": "q4f16",
}  # fmt: skip
_RUN_INPUTS: Final = 100
_WEIGHTS: Final = (".onnx", ".onnx_data", ".data", ".bin", ".xml")


def stored_artefact(checkpoint: Checkpoint) -> Artefact | None:
    """Return what copying the checkpoint's ONNX file gives; None for a mixed precision.

    Raises:
        CheckpointError: the file is damaged.
    """
    stored = read_stored_weights(checkpoint.folder, checkpoint.onnx_files[0]).precision
    return Artefact("onnx", _PRECISIONS[stored]) if stored in _PRECISIONS else None


def copy_stored(model: Model, artefact: Artefact, folder: Path) -> ExportedFile:
    """Copy the model's own ONNX file, after it has run on rows of all lengths.

    Args:
        model: with a backend that runs the file.
        artefact: what `stored_artefact` gave.
        folder: the export's.

    Raises:
        BackendError: it does not run.
        OSError: it cannot be copied.
    """
    rows = make_gate_rows(model, count=_RUN_INPUTS)
    run_all(model.backend, rows)
    target = folder / artefact.name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(model.checkpoint.onnx_files[0], target)
    row = min(
        (row for batch in rows.batches for row in batch), key=lambda entry: abs(len(entry) - SPEED_TOKENS)
    )
    return ExportedFile(
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


def refuse_unwidenable(checkpoint: Checkpoint) -> None:
    """Refuse a model whose ONNX file can be copied, but not made anything else of.

    Raises:
        InputError: its weights cannot be read back.
    """
    try:
        read_widened(checkpoint)
    except CheckpointError as error:
        stored = stored_artefact(checkpoint)
        copied = f"--format onnx --precision {stored.precision} passes it on as it is; " if stored else ""
        raise InputError(f"{error}: {copied}for anything else use a model with safetensors") from error


def with_widened_files(model: Model, folder: Path) -> Model:
    """Write a torch model's weights as safetensors, which the writers read, beside its small files.

    Args:
        model: with the torch backend, in float32.
        folder: to be made.

    Raises:
        OSError: it cannot be written.
    """
    from safetensors.torch import save_file

    folder.mkdir()
    for file in model.checkpoint.folder.iterdir():
        if file.is_file() and file.name != MANIFEST_FILE and not file.name.endswith(_WEIGHTS):
            shutil.copyfile(file, folder / file.name)
    module = model.backend._model  # type: ignore[attr-defined]
    save_file(module.state_dict(), folder / WEIGHTS_FILE, metadata={"format": "pt"})
    return replace(model, checkpoint=replace(open_checkpoint(folder), ref=model.checkpoint.ref))

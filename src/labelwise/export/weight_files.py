"""Weight files: writing one, and running what was written."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import onnx

from labelwise.backends.base import Backend
from labelwise.backends.graph_source import graph_of
from labelwise.backends.heads import HeadOutputs
from labelwise.backends.onnx import OnnxBackend, start_session
from labelwise.backends.openvino import OpenvinoBackend
from labelwise.backends.torch import TorchBackend
from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.families import pad_token_id
from labelwise.checkpoints.files import WEIGHTS_FILE
from labelwise.distillation.tensor_file import stored_tensors
from labelwise.errors import BackendError, require
from labelwise.export.package_files import write_config
from labelwise.export.precisions import in_precision
from labelwise.export.request import Artefact
from labelwise.export.safetensors_writer import FloatType, write_safetensors

__all__ = ["WeightWriter", "open_artefact"]

_FLOAT_TYPES: Final[Mapping[str, FloatType]] = {"fp32": "F32", "fp16": "F16", "bf16": "BF16"}
_TORCH_TYPES: Final = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}
# A protobuf message holds 2 GB; larger weights lie beside it, where all runtimes look.
_LARGEST_MESSAGE_BYTES: Final = 1_900_000_000


class WeightWriter:
    """Writes a checkpoint's weight files; its float32 graph is made once."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._graph: onnx.ModelProto | None = None

    def graph(self) -> onnx.ModelProto:
        """Return the float32 graph, in standard operators: our own builder's, or torch's checked export."""
        if self._graph is None:
            # A published ONNX file beside the weights may be of any precision: it is not read.
            source = graph_of(replace(self._checkpoint, onnx_files=()), fused=False)
            self._graph = (
                onnx.load(str(source)) if isinstance(source, Path) else onnx.load_from_string(source)
            )
        return self._graph

    def write(self, artefact: Artefact, folder: Path, *, kept: frozenset[str] = frozenset()) -> list[str]:
        """Write a weight file into a folder and return the names of all files it is made of.

        Raises:
            OSError: it cannot be written.
            BackendError: the runtime does not take the graph.
        """
        file = folder / artefact.name
        file.parent.mkdir(parents=True, exist_ok=True)
        if artefact.kind == "safetensors":
            write_safetensors(file, stored_tensors(self._checkpoint.folder), _FLOAT_TYPES[artefact.precision])
            return [artefact.name]
        graph = in_precision(self.graph(), artefact, kept=kept)
        if artefact.kind == "openvino":
            _write_openvino(graph, file, halves_weights=artefact.precision == "fp16")
            return [artefact.name, f"{artefact.name.removesuffix('.xml')}.bin"]
        return [f"{artefact.name.rpartition('/')[0]}/{name}" for name in _write_onnx(graph, file)]


def open_artefact(
    artefact: Artefact, folder: Path, checkpoint: Checkpoint, *, threads: int | None = None
) -> Backend:
    """Start the runtime of a written file.

    Raises:
        BackendError: the runtime does not take it.
    """
    file = folder / artefact.name
    head, pad_id = HeadOutputs.of(checkpoint), pad_token_id(checkpoint.config)
    if artefact.kind == "onnx":
        return OnnxBackend(start_session(file, threads=threads), head=head, pad_id=pad_id)
    if artefact.kind == "openvino":
        return OpenvinoBackend(_compile(file, threads), head=head, pad_id=pad_id)
    return _open_safetensors(file, checkpoint, _TORCH_TYPES[artefact.precision])


def _open_safetensors(file: Path, checkpoint: Checkpoint, dtype: str) -> Backend:
    """Load one file through a folder in which it has the plain name, that transformers reads."""
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".loaded-") as scratch:
        alone = Path(scratch)
        _link_or_copy(file, alone / WEIGHTS_FILE)
        write_config(checkpoint.folder, alone, dtype=dtype)
        written = replace(checkpoint, folder=alone, weight_files=(alone / WEIGHTS_FILE,))
        return TorchBackend.open(written, device="cpu", dtype=dtype)


def _link_or_copy(file: Path, target: Path) -> None:
    try:
        os.link(file, target)
    except OSError:  # not every file system has links
        shutil.copyfile(file, target)


def _write_onnx(graph: onnx.ModelProto, file: Path) -> list[str]:
    if graph.ByteSize() <= _LARGEST_MESSAGE_BYTES:
        file.write_bytes(graph.SerializeToString())
        return [file.name]
    data = f"{file.name}_data"
    onnx.save_model(graph, str(file), save_as_external_data=True, location=data)
    return [file.name, data]


def _write_openvino(graph: onnx.ModelProto, file: Path, *, halves_weights: bool) -> None:
    openvino = require("openvino", extra="openvino")
    try:
        model = openvino.Core().read_model(graph.SerializeToString())
        openvino.save_model(model, str(file), compress_to_fp16=halves_weights)
    except RuntimeError as error:
        _raise_if_full(file, error)
        raise BackendError(f"OpenVINO cannot write {file.name}: {_line(error)}") from error


def _raise_if_full(file: Path, error: Exception) -> None:
    """Turn a runtime's own error into the system's, where the folder can indeed not be written."""
    probe = file.with_name(".probe")
    try:
        probe.write_bytes(b"\0" * 4096)
    except OSError as reason:
        raise reason from error
    finally:
        probe.unlink(missing_ok=True)


def _compile(file: Path, threads: int | None) -> Any:
    openvino = require("openvino", extra="openvino")
    settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    if threads is not None:
        settings["INFERENCE_NUM_THREADS"] = threads
    try:
        return openvino.Core().compile_model(str(file), "CPU", settings)
    except RuntimeError as error:
        raise BackendError(f"OpenVINO cannot load {file.name}: {_line(error)}") from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[-300:]

"""Export a model: write, hold against the float32 torch model, and only then show the folder."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.files import WEIGHTS_FILE
from labelwise.checkpoints.manifest import MANIFEST_FILE
from labelwise.checkpoints.opening import open_checkpoint
from labelwise.distillation.student_folder import appearing_whole, write_json
from labelwise.errors import InputError, LabelwiseError, require
from labelwise.export.copying import (
    copy_stored,
    refuse_unwidenable,
    stored_artefact,
    with_widened_files,
)
from labelwise.export.gate import FEWEST_INPUTS
from labelwise.export.gate_rows import make_gate_rows
from labelwise.export.gated_writer import GatedWriter
from labelwise.export.labelled import read_labelled
from labelwise.export.manifest import write_manifest
from labelwise.export.package_files import check_formats, write_small_files
from labelwise.export.report import ExportedFile, ExportReport
from labelwise.export.request import Artefact, plan_artefacts
from labelwise.export.trimming import TrimEffect, trim_for_export
from labelwise.loading import load
from labelwise.model import Model
from labelwise.text.pair import PairLayout

__all__ = ["ExportSettings", "export_model"]

OnProgress = Callable[[str, int, int], None]
_DTYPES = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSettings:
    """How to export.

    Attributes:
        formats: "safetensors", "onnx", "openvino", "transformersjs", "sentence-transformers".
        precisions: "fp32", "fp16", "bf16", "int8", "q4", "q4f16"; each format has some of them.
        searches_mixed: where a precision fails the gate, keep in float32 the fewest parts that make it pass.
        texts: what the gate's inputs are made of; none for made-up sentences.
        labelled: JSONL rows with right answers; see `read_labelled`.
        trim_corpus: a text file; the vocabulary is cut to what its lines need.
        num_gate_inputs: inputs of the gate, at least 1,000 but in tests.
        threads: threads of the runtimes.
    """

    formats: tuple[str, ...] = ("onnx",)
    precisions: tuple[str, ...] = ("fp32",)
    searches_mixed: bool = False
    texts: tuple[str, ...] = ()
    labelled: Path | None = None
    trim_corpus: Path | None = None
    num_gate_inputs: int = FEWEST_INPUTS
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.num_gate_inputs < 1:
            raise InputError(f"num_gate_inputs must be at least 1, got {self.num_gate_inputs}")
        plan_artefacts(self.formats, self.precisions)

    @property
    def artefacts(self) -> tuple[Artefact, ...]:
        """The weight files that are asked for."""
        return plan_artefacts(self.formats, self.precisions)


def export_model(
    ref: str | Path,
    *,
    to: Path,
    settings: ExportSettings | None = None,
    revision: str | None = None,
    on_progress: OnProgress | None = None,
) -> ExportReport:
    """Export a model to a new folder that appears whole, with a manifest, or not at all.

    Every file is run on the gate's inputs and compared with the float32 torch model first. Of a model that
    has ONNX weights alone this is what is stored, widened to float32; the stored file itself is copied.

    Args:
        ref: "bundled", a folder, or a hub id.
        to: the folder; it must not exist.
        settings: formats and precisions.
        revision: of a hub id.
        on_progress: told the stage, how much is done, and of how much.

    Raises:
        InputError: a format does not have the precision, or does not go with the model.
        CheckpointError: the model cannot be read.
        BackendError: a file fails the gate; the message says where, and what passes.
        MissingExtraError: torch, or for some formats OpenVINO, is not installed.
        DataError: the folder exists or cannot be written, or a data file cannot be read.

    Example:
        >>> from pathlib import Path
        >>> export_model("no/folder/here", to=Path("exported"))
        Traceback (most recent call last):
        ...
        labelwise.errors.CheckpointError: there is no folder 'no/folder/here': ...
    """
    settings = settings or ExportSettings()
    checkpoint = open_checkpoint(ref, revision=revision, needs_safetensors=True)
    check_formats(checkpoint, settings.formats)
    with appearing_whole(to) as draft:
        # What an interrupted run leaves behind says so, and is refused when it is loaded.
        write_json(draft / MANIFEST_FILE, {"unfinished": True})
        if not checkpoint.weight_files:
            stored = stored_artefact(checkpoint)
            if settings.artefacts == (stored,) and settings.trim_corpus is None:
                return _copied(checkpoint, settings.artefacts[0], settings, to, draft)
            refuse_unwidenable(checkpoint)
        return _exported(checkpoint, settings, to, draft, on_progress or (lambda stage, done, total: None))


def _copied(
    checkpoint: Checkpoint, artefact: Artefact, settings: ExportSettings, to: Path, draft: Path
) -> ExportReport:
    """Pass a model on that has ONNX weights alone; torch is not needed."""
    model = _stored_model(checkpoint, settings)
    report = ExportReport(to, (copy_stored(model, artefact, draft),), None)
    has_types = _has_token_types(model)
    write_small_files(checkpoint, draft, dtype=None, has_token_types=has_types, formats=settings.formats)
    write_manifest(draft, checkpoint, report)
    return report


def _stored_model(checkpoint: Checkpoint, settings: ExportSettings) -> Model:
    return replace(load(checkpoint.folder, threads=settings.threads), checkpoint=checkpoint)


def _exported(
    checkpoint: Checkpoint, settings: ExportSettings, to: Path, draft: Path, on_progress: OnProgress
) -> ExportReport:
    for module in ("torch", "transformers"):
        require(module, extra="torch")
    if any(artefact.kind == "openvino" for artefact in settings.artefacts):
        require("openvino", extra="openvino")
    with ExitStack() as stack:
        model, trimming = _float32_model(checkpoint, settings, stack, draft)
        rows = make_gate_rows(model, count=settings.num_gate_inputs, texts=settings.texts)
        labelled = None if settings.labelled is None else read_labelled(settings.labelled, model)
        writer = GatedWriter(
            model,
            rows,
            labelled=labelled,
            searches_mixed=settings.searches_mixed,
            threads=settings.threads,
            on_progress=on_progress,
        )
        copied = _copied_beside(checkpoint, settings)
        files = tuple(
            copy_stored(_stored_model(checkpoint, settings), artefact, draft)
            if artefact == copied
            else _write(writer, artefact, draft)
            for artefact in settings.artefacts
        )
        dtype = next(
            (_DTYPES[file.artefact.precision] for file in files if file.artefact.name == WEIGHTS_FILE), None
        )
        widened_from = None if checkpoint.weight_files else checkpoint.onnx_files[0].name
        report = ExportReport(to, files, writer.ms_per_text_torch, trimming, widened_from)
        has_types = _has_token_types(model)
        write_small_files(
            model.checkpoint, draft, dtype=dtype, has_token_types=has_types, formats=settings.formats
        )
        write_manifest(draft, checkpoint, report)
        return report


def _copied_beside(checkpoint: Checkpoint, settings: ExportSettings) -> Artefact | None:
    """Return the file that is there already, which a trimmed vocabulary would change."""
    if checkpoint.weight_files or settings.trim_corpus is not None:
        return None
    return stored_artefact(checkpoint)


def _has_token_types(model: Model) -> bool:
    return isinstance(model.layout, PairLayout) and model.layout.has_token_types


def _float32_model(
    checkpoint: Checkpoint, settings: ExportSettings, stack: ExitStack, draft: Path
) -> tuple[Model, TrimEffect | None]:
    model = load(checkpoint.folder, backend="torch", device="cpu", threads=settings.threads)
    model = replace(model, checkpoint=checkpoint)
    if checkpoint.weight_files and settings.trim_corpus is None:
        return model, None
    scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=draft.parent, prefix=".made-from-")))
    if not checkpoint.weight_files:
        model = with_widened_files(model, scratch / "widened")
    if settings.trim_corpus is None:
        return model, None
    return trim_for_export(model, settings.trim_corpus, output=scratch / "model")


def _write(writer: GatedWriter, artefact: Artefact, draft: Path) -> ExportedFile:
    try:
        return writer.write(artefact, draft)
    except MemoryError as error:
        raise LabelwiseError(f"{artefact.name}: this machine's memory does not hold the model") from error

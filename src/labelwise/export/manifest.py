"""What goes into an export's manifest."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Any, Final

from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.manifest import MANIFEST_FILE, list_with_hashes
from labelwise.checkpoints.weights import weights_hash
from labelwise.distillation.student_folder import write_json
from labelwise.export.report import ExportReport

__all__ = ["write_manifest"]

_PACKAGES: Final = ("labelwise", "numpy", "onnx", "onnxruntime", "openvino", "torch", "transformers")


def write_manifest(folder: Path, source: Checkpoint, report: ExportReport) -> None:
    """Write labelwise-export.json: every file with its size and hash, and how the weights were proven.

    Raises:
        OSError: it cannot be written.
    """
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    content: dict[str, Any] = {
        "version": 1,
        "files": list_with_hashes(folder, (name for name in names if name != MANIFEST_FILE)),
        "source": {
            "ref": source.ref,
            "family": source.family,
            "tasks": sorted(source.tasks),
            "weights_sha256": weights_hash(source),
            "widened_from": report.widened_from,
        },
        "versions": _versions(),
        "exports": [file.to_dict() for file in report.files],
        "trimming": None if report.trimming is None else report.trimming.to_dict(),
    }
    write_json(folder / MANIFEST_FILE, content)


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found

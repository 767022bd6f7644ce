"""The manifest of an exported folder: which files it has, and the hash of each.

A folder with a manifest is whole and unchanged, or it is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from labelwise.checkpoints.json_file import read_json_object
from labelwise.errors import CheckpointError

__all__ = ["MANIFEST_FILE", "ExportProof", "check_manifest", "list_with_hashes", "read_proofs"]

MANIFEST_FILE = "labelwise-export.json"
_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ExportProof:
    """How an exported weight file was compared with the float32 torch model.

    Attributes:
        file: its name, with forward slashes.
        num_inputs: rows that both were run on.
        largest_difference: between two logits.
        agreement: share of decisions that are the same.
    """

    file: str
    num_inputs: int
    largest_difference: float
    agreement: float


def read_proofs(folder: Path) -> tuple[ExportProof, ...]:
    """Return the proofs that a manifest tells of; none for files that were passed on as they were.

    Raises:
        CheckpointError: the manifest is no JSON object.
    """
    manifest = folder / MANIFEST_FILE
    exports = read_json_object(manifest).get("exports") if manifest.is_file() else None
    entries = exports if isinstance(exports, list) else []
    return tuple(proof for proof in map(_read_proof, entries) if proof is not None)


def _read_proof(entry: object) -> ExportProof | None:
    gate = entry.get("gate") if isinstance(entry, Mapping) else None
    if not (isinstance(entry, Mapping) and isinstance(gate, Mapping)):
        return None
    try:
        return ExportProof(
            str(entry["file"]),
            int(gate["num_inputs"]),
            float(gate["largest_difference"]),
            float(gate["agreement"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


def check_manifest(folder: Path) -> None:
    """Refuse a folder whose files are not those of its manifest; one without a manifest passes.

    Raises:
        CheckpointError: naming the file that is missing or changed, or what is wrong with the manifest.
    """
    manifest = folder / MANIFEST_FILE
    if not manifest.is_file():
        return
    content = read_json_object(manifest)
    if content.get("unfinished"):
        raise CheckpointError("its export was interrupted, so it is no whole model: export it again")
    listed = content.get("files")
    if not isinstance(listed, list) or not listed:
        raise CheckpointError(f"{MANIFEST_FILE} lists no files: export the model again")
    for entry in listed:
        _check_file(folder, *_read_entry(entry))


def list_with_hashes(folder: Path, names: Iterable[str]) -> list[dict[str, Any]]:
    """Return the manifest's entries of files, by name with forward slashes.

    Raises:
        OSError: a file cannot be read.
    """
    return [
        {"name": name, "bytes": (folder / name).stat().st_size, "sha256": _sha256(folder / name)}
        for name in sorted(names)
    ]


def _read_entry(entry: object) -> tuple[str, int, str]:
    if isinstance(entry, Mapping):
        name, size, digest = entry.get("name"), entry.get("bytes"), entry.get("sha256")
        if isinstance(name, str) and type(size) is int and isinstance(digest, str) and _is_inside(name):
            return name, size, digest
    raise CheckpointError(f"{MANIFEST_FILE} has a broken entry: export the model again")


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\\" not in name


def _check_file(folder: Path, name: str, size: int, digest: str) -> None:
    file = folder / name
    try:
        is_there = file.is_file()
        is_unchanged = is_there and file.stat().st_size == size and _sha256(file) == digest
    except OSError as error:
        raise CheckpointError(f"{name} cannot be read: {error.strerror or error}") from error
    if not is_there:
        raise CheckpointError(f"{name}, which {MANIFEST_FILE} lists, is missing: export the model again")
    if not is_unchanged:
        raise CheckpointError(
            f"{name} is not the file that was exported (its SHA-256 is not the one in {MANIFEST_FILE}): copy "
            "or export it again"
        )


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()

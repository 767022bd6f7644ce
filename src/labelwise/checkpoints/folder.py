"""A checkpoint's folder: its listing, its files, and nothing outside it."""

from __future__ import annotations

from pathlib import Path

from labelwise.checkpoints.files import INDEX_FILE, WEIGHTS_FILE, lone_weight_files
from labelwise.checkpoints.json_file import read_json_object
from labelwise.errors import CheckpointError

__all__ = ["list_files", "weight_files"]


def list_files(folder: Path) -> list[str]:
    """List the files in the root and in ``onnx/``, as names with forward slashes.

    Raises:
        CheckpointError: a link leads out of the folder, or the folder cannot be read.
    """
    root = _containing_root(folder)
    names = []
    try:
        for parent in (folder, folder / "onnx"):
            if not parent.is_dir():
                continue
            _refuse_outside(parent, root)
            for path in sorted(parent.iterdir()):
                if path.is_file():
                    _refuse_outside(path, root)
                    names.append(path.relative_to(folder).as_posix())
    except OSError as error:
        raise CheckpointError(f"the folder cannot be read: {error.strerror or error}") from error
    return names


def weight_files(folder: Path, names: list[str]) -> tuple[Path, ...]:
    """Return the safetensors files of a folder in shard order; empty when there are none.

    Raises:
        CheckpointError: a shard that the index names is missing, or several files claim to be the model.
    """
    if WEIGHTS_FILE not in names and INDEX_FILE in names:
        return tuple(folder / shard for shard in _shards(folder, names))
    lone = lone_weight_files(names)
    if len(lone) > 1:
        raise CheckpointError(
            f"it has {len(lone)} safetensors files ({', '.join(lone[:3])}) and no {INDEX_FILE}: keep one, "
            f"as {WEIGHTS_FILE}"
        )
    return tuple(folder / name for name in lone)


def _shards(folder: Path, names: list[str]) -> list[str]:
    weight_map = read_json_object(folder / INDEX_FILE).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise CheckpointError(f"{INDEX_FILE} has no weight_map")
    shards = sorted({str(shard) for shard in weight_map.values()})
    for shard in shards:
        if shard not in names:
            raise CheckpointError(
                f"the shard {shard!r} that {INDEX_FILE} names is missing: download it again"
            )
    return shards


def _containing_root(folder: Path) -> Path:
    """Return what links may point into: the folder, or for a hub snapshot the repository's cache folder."""
    place = folder.resolve()
    repository = place.parent.parent
    is_hub_snapshot = place.parent.name == "snapshots" and repository.name.startswith("models--")
    return repository if is_hub_snapshot else place


def _refuse_outside(path: Path, root: Path) -> None:
    if not path.resolve().is_relative_to(root):
        raise CheckpointError(
            f"{path.name!r} is a link that leads out of the folder: put the file itself there"
        )

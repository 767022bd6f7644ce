"""A checkpoint's tensors, read one at a time, and the hash that stands for them."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from labelwise.checkpoints.cache import read_note, write_note
from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.files import CONFIG_FILE
from labelwise.checkpoints.safetensors_file import StoredTensor, read_header
from labelwise.errors import CheckpointError

__all__ = ["read_tensors", "weights_hash"]

_READ_BYTES = 1 << 20
# A file changed this recently may change again within the same time stamp, so its hash is not kept.
_SETTLED_AFTER_S = 2.0


class _LazyTensors(Mapping[str, NDArray[np.float32]]):
    """Tensors by name, each read from its file when asked for."""

    def __init__(self, stored: Mapping[str, StoredTensor]) -> None:
        self._stored = stored

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        return self._stored[name].read()

    def __iter__(self) -> Iterator[str]:
        return iter(self._stored)

    def __len__(self) -> int:
        return len(self._stored)

    def __contains__(self, name: object) -> bool:
        return name in self._stored


def read_tensors(checkpoint: Checkpoint) -> Mapping[str, NDArray[np.float32]]:
    """Return the checkpoint's tensors by name, as float32, read lazily.

    Raises:
        CheckpointError: there are no safetensors, a file is broken, or two shards hold the same tensor.
    """
    if not checkpoint.weight_files:
        raise CheckpointError(f"{checkpoint.ref!r} has no safetensors, only ONNX files")
    stored: dict[str, StoredTensor] = {}
    for file in checkpoint.weight_files:
        for name, tensor in read_header(file).items():
            if name in stored:
                raise CheckpointError(
                    f"tensor {name!r} is both in {stored[name].file.name} and in {file.name}"
                )
            stored[name] = tensor
    return _LazyTensors(stored)


def weights_hash(checkpoint: Checkpoint) -> str:
    """Return a SHA-256, in hex, over config.json and the weights; kept in the cache until a file changes.

    Raises:
        CheckpointError: a file cannot be read.
    """
    files = [checkpoint.folder / CONFIG_FILE, *(checkpoint.weight_files or checkpoint.onnx_files[:1])]
    try:
        stats = [(file, file.stat()) for file in files]
        state = json.dumps([[str(file.absolute()), stat.st_size, stat.st_mtime_ns] for file, stat in stats])
        note_name = f"{hashlib.sha256(str(checkpoint.folder.absolute()).encode()).hexdigest()[:32]}.json"
        known = read_note(note_name)
        if known.get("state") == state and isinstance(known.get("sha256"), str):
            return str(known["sha256"])
        digest = _hash_files(files)
    except OSError as error:
        raise CheckpointError(
            f"{checkpoint.ref!r}: {error.filename} cannot be read: {error.strerror}"
        ) from error
    if max(stat.st_mtime for _, stat in stats) < time.time() - _SETTLED_AFTER_S:
        write_note(note_name, {"state": state, "sha256": digest})
    return digest


def _hash_files(files: list[Path]) -> str:
    outer = hashlib.sha256()
    for file in files:
        inner = hashlib.sha256()
        with file.open("rb") as stream:
            while block := stream.read(_READ_BYTES):
                inner.update(block)
        outer.update(inner.digest())
    return outer.hexdigest()

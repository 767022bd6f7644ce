"""Write safetensors files byte for byte from stored tensors, whatever their dtype, no model loaded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from labelwise.checkpoints.folder import list_files, weight_files
from labelwise.checkpoints.safetensors_file import StoredTensor, read_header
from labelwise.errors import CheckpointError

__all__ = ["PickedTensor", "stored_tensors", "write_picked"]

_CHUNK_BYTES = 1 << 24
_ALIGNMENT_BYTES = 8


@dataclass(frozen=True, slots=True)
class PickedTensor:
    """A stored tensor under a new name; ``rows`` picks entries of its first axis, None keeps all."""

    name: str
    source: StoredTensor
    rows: NDArray[np.int64] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape that is written."""
        if self.rows is None:
            return self.source.shape
        return (len(self.rows), *self.source.shape[1:])

    @property
    def size_bytes(self) -> int:
        """The bytes that are written."""
        stored = self.source.stop - self.source.start
        return stored if self.rows is None else stored // self.source.shape[0] * len(self.rows)

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes in pieces."""
        if not self.size_bytes:
            return
        raw: NDArray[np.uint8] = np.memmap(
            self.source.file,
            dtype=np.uint8,
            mode="r",
            offset=self.source.start,
            shape=(self.source.stop - self.source.start,),
        )
        if self.rows is not None:
            yield raw.reshape(self.source.shape[0], -1)[self.rows].tobytes()
            return
        for start in range(0, len(raw), _CHUNK_BYTES):
            yield raw[start : start + _CHUNK_BYTES].tobytes()


def stored_tensors(folder: Path) -> dict[str, StoredTensor]:
    """Return where a folder's tensors lie, by name, over all its shards.

    Raises:
        CheckpointError: there are no safetensors, a file is broken, or two shards hold the same tensor.
    """
    files = weight_files(folder, list_files(folder))
    if not files:
        raise CheckpointError(f"{folder} has no model.safetensors: the teacher's weights are needed")
    stored: dict[str, StoredTensor] = {}
    for file in files:
        for name, tensor in read_header(file).items():
            if name in stored:
                raise CheckpointError(
                    f"tensor {name!r} is both in {stored[name].file.name} and in {file.name}"
                )
            stored[name] = tensor
    return stored


def write_picked(file: Path, tensors: Sequence[PickedTensor]) -> None:
    """Write one safetensors file.

    Raises:
        OSError: the file cannot be written.
    """
    # Wide items first keeps every tensor aligned, as the format advises.
    ordered = sorted(tensors, key=lambda tensor: (-_item_bytes(tensor.source), tensor.name))
    header: dict[str, Mapping[str, object]] = {"__metadata__": {"format": "pt"}}
    position = 0
    for tensor in ordered:
        end = position + tensor.size_bytes
        header[tensor.name] = {
            "dtype": tensor.source.dtype,
            "shape": list(tensor.shape),
            "data_offsets": [position, end],
        }
        position = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT_BYTES)
    with file.open("wb") as stream:
        stream.write(len(text).to_bytes(8, "little") + text)
        for tensor in ordered:
            for chunk in tensor.chunks():
                stream.write(chunk)


def _item_bytes(tensor: StoredTensor) -> int:
    items = int(np.prod(tensor.shape, dtype=np.int64))
    return (tensor.stop - tensor.start) // items if items else 1

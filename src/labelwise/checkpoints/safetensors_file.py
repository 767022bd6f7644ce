"""Read safetensors files with numpy alone.

The format (https://huggingface.co/docs/safetensors): 8 bytes of header length, a JSON header, then the
tensors' bytes without holes. The safetensors package reads it too, but not bfloat16 into numpy.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import CheckpointError

__all__ = ["StoredTensor", "read_header"]

_LENGTH_BYTES = 8
_MAX_HEADER_BYTES = 100_000_000  # the format's own limit
_ITEM_BYTES = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "U16": 2, "I16": 2, "F16": 2, "BF16": 2,
    "U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8,
}  # fmt: skip
_FLOATS = {"F16": "<f2", "F32": "<f4", "F64": "<f8"}


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """Where one tensor lies: bytes ``start`` to ``stop`` of ``file``."""

    name: str
    file: Path
    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int

    def read(self) -> NDArray[np.float32]:
        """Return the tensor as float32; float32 is mapped from the file, other floats are widened.

        Raises:
            CheckpointError: the tensor does not hold floats, or the file cannot be read.
        """
        if self.dtype != "BF16" and self.dtype not in _FLOATS:
            raise CheckpointError(
                f"tensor {self.name!r} is stored as {self.dtype}: floats are needed (F32, F16, BF16)"
            )
        if self.start == self.stop:
            return np.zeros(self.shape, dtype=np.float32)
        try:
            raw = np.memmap(
                self.file, dtype=np.uint8, mode="r", offset=self.start, shape=(self.stop - self.start,)
            )
        except (OSError, ValueError) as error:
            raise CheckpointError(f"tensor {self.name!r} cannot be read from {self.file}: {error}") from error
        if self.dtype == "BF16":
            # bfloat16 is the upper half of a float32.
            values = (np.asarray(raw).view("<u2").astype(np.uint32) << 16).view(np.float32)
        else:
            values = np.asarray(raw).view(_FLOATS[self.dtype]).astype(np.float32, copy=False)
        return values.reshape(self.shape)


def read_header(file: Path) -> dict[str, StoredTensor]:
    """Read where a file's tensors lie, by name.

    Raises:
        CheckpointError: the file is not safetensors, is cut short, or its tensors overlap or leave holes.
    """
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            header_bytes = int.from_bytes(stream.read(_LENGTH_BYTES), "little")
            if size < _LENGTH_BYTES or header_bytes > min(size - _LENGTH_BYTES, _MAX_HEADER_BYTES):
                raise CheckpointError(f"{file} is not a safetensors file, or it is cut short")
            header = json.loads(stream.read(header_bytes))
    except OSError as error:
        raise CheckpointError(f"{file} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{file} is not a safetensors file: its header is not JSON") from error
    if not isinstance(header, dict):
        raise CheckpointError(f"{file} is not a safetensors file: its header is not a JSON object")
    first_byte = _LENGTH_BYTES + header_bytes
    tensors = {
        name: _stored_tensor(file, name, entry, first_byte)
        for name, entry in header.items()
        if name != "__metadata__"
    }
    _check_layout(file, tensors, first_byte, size)
    return tensors


def _stored_tensor(file: Path, name: str, entry: Any, first_byte: int) -> StoredTensor:
    try:
        dtype, shape = entry["dtype"], tuple(entry["shape"])
        start, stop = entry["data_offsets"]
        is_sound = (
            all(type(number) is int and number >= 0 for number in (*shape, start, stop))
            and stop - start == math.prod(shape) * _ITEM_BYTES[dtype]
        )
    except (KeyError, TypeError, ValueError):
        is_sound = False
    if not is_sound:
        raise CheckpointError(f"{file}: the header's entry for tensor {name!r} is broken")
    return StoredTensor(name, file, dtype, shape, first_byte + start, first_byte + stop)


def _check_layout(file: Path, tensors: dict[str, StoredTensor], first_byte: int, size: int) -> None:
    position = first_byte
    for tensor in sorted(tensors.values(), key=lambda tensor: (tensor.start, tensor.stop)):
        if tensor.start != position:
            raise CheckpointError(f"{file}: tensor {tensor.name!r} overlaps another or leaves a hole")
        position = tensor.stop
    if position != size:
        raise CheckpointError(
            f"{file} has {size} bytes where its header announces {position}: download it again"
        )

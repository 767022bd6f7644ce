"""A checkpoint's tensors under their own names, in another float type."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from labelwise.checkpoints.safetensors_file import StoredTensor

__all__ = ["FloatType", "write_safetensors"]

FloatType = Literal["F32", "F16", "BF16"]
_FLOATS: Final = frozenset({"F64", "F32", "F16", "BF16"})
_ITEM_BYTES: Final[Mapping[FloatType, int]] = {"F32": 4, "F16": 2, "BF16": 2}
_ALIGNMENT_BYTES: Final = 8
_LARGEST_FLOAT16: Final = float(np.finfo(np.float16).max)


@dataclass(frozen=True, slots=True)
class _Converted:
    """A stored tensor as it will be written; what holds no floats stays as it is."""

    source: StoredTensor
    float_type: FloatType

    @property
    def is_float(self) -> bool:
        return self.source.dtype in _FLOATS

    @property
    def dtype(self) -> str:
        return self.float_type if self.is_float else self.source.dtype

    @property
    def num_bytes(self) -> int:
        if not self.is_float:
            return self.source.stop - self.source.start
        return math.prod(self.source.shape) * _ITEM_BYTES[self.float_type]

    def content(self) -> bytes:
        if self.is_float:
            return _narrowed(self.source.read(), self.float_type).tobytes()
        with self.source.file.open("rb") as stream:
            stream.seek(self.source.start)
            return stream.read(self.source.stop - self.source.start)


def write_safetensors(file: Path, tensors: Mapping[str, StoredTensor], float_type: FloatType) -> None:
    """Write one file with all tensors; numbers beyond float16 become its largest.

    Raises:
        OSError: the file cannot be written.
        CheckpointError: a tensor cannot be read.
    """
    converted = {name: _Converted(tensor, float_type) for name, tensor in tensors.items()}
    ordered = sorted(converted.items(), key=lambda entry: (not entry[1].is_float, entry[0]))
    header = json.dumps(dict(_header(ordered)), separators=(",", ":")).encode()
    header += b" " * (-len(header) % _ALIGNMENT_BYTES)
    with file.open("wb") as stream:
        stream.write(len(header).to_bytes(8, "little") + header)
        for _, tensor in ordered:
            stream.write(tensor.content())


def _header(ordered: list[tuple[str, _Converted]]) -> Iterator[tuple[str, object]]:
    yield "__metadata__", {"format": "pt"}
    start = 0
    for name, tensor in ordered:
        stop = start + tensor.num_bytes
        yield (
            name,
            {"dtype": tensor.dtype, "shape": list(tensor.source.shape), "data_offsets": [start, stop]},
        )
        start = stop


def _narrowed(values: NDArray[np.float32], float_type: FloatType) -> NDArray[np.generic]:
    if float_type == "F32":
        return np.ascontiguousarray(values)
    if float_type == "F16":
        return np.clip(values, -_LARGEST_FLOAT16, _LARGEST_FLOAT16).astype(np.float16)
    raw = np.ascontiguousarray(values).view(np.uint32).astype(np.uint64)
    # To the nearest, ties to even: bfloat16 is the upper half of a float32.
    return ((raw + 0x7FFF + ((raw >> 16) & 1)) >> 16).astype(np.uint16)

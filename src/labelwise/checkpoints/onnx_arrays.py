"""Read an ONNX file's stored arrays without the onnx package: the file is mapped, an array is a view."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import CheckpointError

__all__ = ["StoredArrays", "read_arrays"]

# Field numbers of ModelProto, GraphProto and TensorProto (onnx.proto3).
_PRODUCER, _GRAPH = 2, 7
_GRAPH_NAME, _INITIALIZER = 2, 5
_DIMS, _DATA_TYPE, _NAME, _RAW_DATA = 1, 2, 8, 9
_VARINT, _BYTES = 0, 2
_FIXED_BYTES: Final = {1: 8, 5: 4}
_BFLOAT16: Final = 16
_DTYPES: Final = {1: "<f4", 2: "u1", 3: "i1", 6: "<i4", 7: "<i8", 10: "<f2", _BFLOAT16: "<u2"}
_LONGEST_VARINT_BYTES = 10


@dataclass(frozen=True, slots=True)
class StoredArrays:
    """What an ONNX file holds.

    Attributes:
        maker: who made the file.
        graph: the graph's name.
        by_name: its arrays; bfloat16 is widened to float32, and what lies in another file is left out.
    """

    maker: str
    graph: str
    by_name: Mapping[str, NDArray[Any]]


def read_arrays(file: Path) -> StoredArrays:
    """Map a file's arrays.

    Raises:
        CheckpointError: the file cannot be read or is damaged.
    """
    try:
        with file.open("rb") as stream:
            data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        return _read(data)
    except OSError as error:
        raise CheckpointError(f"{file} cannot be read: {error.strerror or error}") from error
    except (IndexError, KeyError, ValueError) as error:
        raise CheckpointError(f"{file} is not an ONNX file, or it is damaged") from error


def _read(data: mmap.mmap) -> StoredArrays:
    maker, graph, arrays = "", "", dict[str, NDArray[Any]]()
    for number, value, start in _fields(data, 0, len(data)):
        if number == _PRODUCER:
            maker = data[start : start + value].decode("utf-8")
        elif number == _GRAPH:
            for inner, size, place in _fields(data, start, start + value):
                if inner == _INITIALIZER:
                    arrays |= _array(data, place, place + size)
                elif inner == _GRAPH_NAME:
                    graph = data[place : place + size].decode("utf-8")
    return StoredArrays(maker, graph, arrays)


def _array(data: mmap.mmap, start: int, stop: int) -> dict[str, NDArray[Any]]:
    name, kind, shape, raw = "", 0, list[int](), None
    for number, value, place in _fields(data, start, stop):
        if number == _NAME:
            name = data[place : place + value].decode("utf-8")
        elif number == _DATA_TYPE:
            kind = value
        elif number == _DIMS:
            shape.extend(_repeated(data, value, place))
        elif number == _RAW_DATA:
            raw = place, value
    if raw is None or kind not in _DTYPES:
        return {}
    dtype = np.dtype(_DTYPES[kind])
    values = np.frombuffer(data, dtype, count=raw[1] // dtype.itemsize, offset=raw[0]).reshape(shape)
    if kind == _BFLOAT16:  # the upper half of a float32
        values = (values.astype(np.uint32) << 16).view(np.float32)
    return {name: values}


def _repeated(data: mmap.mmap, value: int, place: int) -> Iterator[int]:
    """Yield a repeated number: one per field (no place), or all in one field."""
    if place < 0:
        yield value
        return
    position = place
    while position < place + value:
        number, position = _varint(data, position)
        yield number


def _fields(data: mmap.mmap, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """Yield number, value and -1 of fields that are numbers; number, size and place of the others."""
    position = start
    while position < stop:
        key, position = _varint(data, position)
        number, wire_type = key >> 3, key & 7
        if wire_type == _VARINT:
            value, position = _varint(data, position)
            yield number, value, -1
            continue
        size = 0
        if wire_type == _BYTES:
            size, position = _varint(data, position)
        else:
            size = _FIXED_BYTES[wire_type]
        if position + size > stop:
            raise IndexError("a field runs past the end")
        yield number, size, position
        position += size


def _varint(data: mmap.mmap, position: int) -> tuple[int, int]:
    value = 0
    for place in range(_LONGEST_VARINT_BYTES):
        byte = data[position + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, position + place + 1
    raise ValueError("a number is too long")

"""Read what an ONNX file stores from its structure alone: neither its weights nor the onnx package is loaded.

The file is one protobuf message (onnx.proto3). Only the initializers' names, types and shapes and the inputs'
names are read; the weights between them are passed over, so a file of gigabytes takes milliseconds.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from labelwise.errors import CheckpointError

__all__ = ["Initializer", "read_initializers", "read_input_names"]

_Read = TypeVar("_Read")

# Field numbers of ModelProto, GraphProto, ValueInfoProto and TensorProto.
_GRAPH = 7
_INITIALIZER, _INPUT = 5, 11
_INPUT_NAME = 1
_DIMS, _DATA_TYPE, _NAME = 1, 2, 8
_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5
_LONGEST_VARINT_BYTES = 10
# fmt: off
_DTYPES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "string",
    9: "bool", 10: "float16", 11: "float64", 12: "uint32", 13: "uint64", 16: "bfloat16", 17: "float8_e4m3fn",
    18: "float8_e4m3fnuz", 19: "float8_e5m2", 20: "float8_e5m2fnuz", 21: "uint4", 22: "int4",
}
# fmt: on


@dataclass(frozen=True, slots=True)
class Initializer:
    """One stored tensor of a graph; ``dtype`` is numpy's name, or "unknown" for a type without one."""

    name: str
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of a message: its value where it is a number, else where its bytes lie."""

    number: int
    value: int
    start: int
    stop: int


def read_initializers(file: Path) -> tuple[Initializer, ...]:
    """Return the stored tensors of an ONNX file, in file order.

    Raises:
        CheckpointError: the file cannot be read, is damaged, or holds no graph.
    """
    return _read(file, _initializers)


def read_input_names(file: Path) -> tuple[str, ...]:
    """Return the names of a graph's inputs, in file order.

    Raises:
        CheckpointError: as for `read_initializers`.
    """
    return _read(file, _input_names)


def _read(file: Path, part: Callable[[mmap.mmap], _Read]) -> _Read:
    try:
        with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return part(data)
    except OSError as error:
        raise CheckpointError(f"{file} cannot be read: {error.strerror or error}") from error
    except (IndexError, KeyError, ValueError) as error:
        raise CheckpointError(f"{file} is not an ONNX file, or it is damaged") from error


def _initializers(data: mmap.mmap) -> tuple[Initializer, ...]:
    return tuple(
        _initializer(data, field.start, field.stop)
        for field in _graph_fields(data)
        if field.number == _INITIALIZER
    )


def _input_names(data: mmap.mmap) -> tuple[str, ...]:
    return tuple(
        data[part.start : part.stop].decode("utf-8")
        for field in _graph_fields(data)
        if field.number == _INPUT
        for part in _fields(data, field.start, field.stop)
        if part.number == _INPUT_NAME
    )


def _graph_fields(data: mmap.mmap) -> Iterator[_Field]:
    graph = next((field for field in _fields(data, 0, len(data)) if field.number == _GRAPH), None)
    if graph is None:
        raise ValueError("no graph")
    return _fields(data, graph.start, graph.stop)


def _initializer(data: mmap.mmap, start: int, stop: int) -> Initializer:
    name, dtype, shape = "", 0, list[int]()
    for field in _fields(data, start, stop):
        if field.number == _NAME:
            name = data[field.start : field.stop].decode("utf-8")
        elif field.number == _DATA_TYPE:
            dtype = field.value
        elif field.number == _DIMS:
            shape.extend(_packed(data, field))
    return Initializer(name, _DTYPES.get(dtype, "unknown"), tuple(shape))


def _packed(data: mmap.mmap, field: _Field) -> Iterator[int]:
    """Yield a repeated number: one per field, or all in one field."""
    if field.start == field.stop:
        yield field.value
    position = field.start
    while position < field.stop:
        value, position = _varint(data, position)
        yield value


def _fields(data: mmap.mmap, start: int, stop: int) -> Iterator[_Field]:
    position = start
    while position < stop:
        key, position = _varint(data, position)
        number, wire_type = key >> 3, key & 7
        if wire_type == _VARINT:
            value, position = _varint(data, position)
            yield _Field(number, value, position, position)
            continue
        if wire_type == _BYTES:
            size, position = _varint(data, position)
        else:
            size = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}[wire_type]
        if position + size > stop:
            raise IndexError("a field runs past the end")
        yield _Field(number, 0, position, position + size)
        position += size


def _varint(data: mmap.mmap, position: int) -> tuple[int, int]:
    value = 0
    for place in range(_LONGEST_VARINT_BYTES):
        byte = data[position + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, position + place + 1
    raise ValueError("a number is too long")

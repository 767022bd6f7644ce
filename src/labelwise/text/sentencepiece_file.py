"""Read a SentencePiece ``.model`` file without its library.

The file is one protobuf message (sentencepiece_model.proto); only the fields that encoding needs are read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from labelwise.errors import CheckpointError

__all__ = ["PieceKind", "SentencePieceFile", "read_sentencepiece_file"]

_UNIGRAM = 1


class PieceKind(IntEnum):
    """What a piece is, numbered as in the file."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


@dataclass(frozen=True, slots=True)
class SentencePieceFile:
    """Pieces with their scores and kinds, in id order, and how text is normalised."""

    pieces: tuple[tuple[str, float, int], ...]
    charsmap: bytes
    falls_back_to_bytes: bool
    adds_dummy_prefix: bool
    removes_extra_spaces: bool


def read_sentencepiece_file(path: Path) -> SentencePieceFile:
    """Read a Unigram model.

    Raises:
        CheckpointError: the file is damaged, or its model is not Unigram.
    """
    try:
        return _parse(path.read_bytes())
    except (IndexError, KeyError, TypeError, UnicodeDecodeError, struct.error) as error:
        raise CheckpointError(f"{path} is not a SentencePiece model, or it is damaged: {error}") from error
    except ValueError as error:
        raise CheckpointError(f"{path}: {error}") from error


def _parse(data: bytes) -> SentencePieceFile:
    pieces: list[tuple[str, float, int]] = []
    trainer: dict[int, bytes | int] = {}
    normalizer: dict[int, bytes | int] = {}
    for number, value in _fields(data):
        if number == 1:
            pieces.append(_piece(_as_bytes(value)))
        elif number == 2:
            trainer = dict(_fields(_as_bytes(value)))
        elif number == 3:
            normalizer = dict(_fields(_as_bytes(value)))
    if not pieces:
        raise ValueError("no pieces found, so it is not a SentencePiece model")
    if trainer.get(3, _UNIGRAM) != _UNIGRAM:
        raise ValueError("only Unigram models can be read; convert this one to tokenizer.json")
    if trainer.get(24, 0):
        raise ValueError("white space as a suffix cannot be read; convert this model to tokenizer.json")
    return SentencePieceFile(
        pieces=tuple(pieces),
        charsmap=_as_bytes(normalizer.get(2, b"")),
        falls_back_to_bytes=bool(trainer.get(35, 0)),
        adds_dummy_prefix=bool(normalizer.get(3, 1)),
        removes_extra_spaces=bool(normalizer.get(4, 1)),
    )


def _piece(message: bytes) -> tuple[str, float, int]:
    fields = dict(_fields(message))
    (score,) = struct.unpack("<f", _as_bytes(fields.get(2, b"\0\0\0\0")))
    kind = fields.get(3, PieceKind.NORMAL)
    if not isinstance(kind, int):
        raise TypeError("a piece's kind is not a number")
    return _as_bytes(fields[1]).decode(), score, kind


def _as_bytes(value: bytes | int) -> bytes:
    if isinstance(value, int):
        raise TypeError("a number stands where bytes are expected")
    return value


def _fields(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Yield (field number, value): a varint as int, everything else as its bytes."""
    position, end = 0, len(message)
    while position < end:
        key, position = _varint(message, position)
        wire_type = key & 7
        if wire_type == 0:
            value, position = _varint(message, position)
            yield key >> 3, value
            continue
        if wire_type == 2:
            size, position = _varint(message, position)
        else:
            size = {1: 8, 5: 4}[wire_type]
        if position + size > end:
            raise IndexError("a field runs past the end")
        yield key >> 3, message[position : position + size]
        position += size


def _varint(message: bytes, position: int) -> tuple[int, int]:
    byte = message[position]
    position += 1
    value, shift = byte & 0x7F, 7
    while byte >= 0x80:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
    return value, position

"""Read lines of text, JSONL, CSV and TSV as rows. All are UTF-8; a byte order mark at the start is fine."""

from __future__ import annotations

import codecs
import csv
import json
import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from labelwise.errors import DataError
from labelwise.files.formats import FileFormat
from labelwise.files.row import BadRow, Row

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

__all__ = ["read_csv", "read_csv_header", "read_jsonl", "read_txt"]

MAX_LINE_BYTES = 16 * 2**20
"""Longer lines are refused: one of them is a file that is something else, and it would fill the memory."""

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_NOT_UTF8: Final = "is not UTF-8 text"
# UTF-32 first: its little-endian mark begins with that of UTF-16.
_OTHER_ENCODINGS: Final = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


def read_txt(stream: BinaryIO, format: FileFormat, name: str) -> Iterator[Row | BadRow]:
    """Read each line that is not blank as a row with the one column "text"; its number is the line's."""
    for number, line in _numbered_lines(stream, name):
        text = _decode(line.rstrip(b"\r\n"))
        if text is None:
            yield BadRow(number, _NOT_UTF8)
        elif text and not text.isspace():
            yield Row(number, {"text": text})


def read_jsonl(stream: BinaryIO, format: FileFormat, name: str) -> Iterator[Row | BadRow]:
    """Read each line that is not blank as one JSON object; its number is the line's."""
    for number, line in _numbered_lines(stream, name):
        if line.isspace():
            continue
        text = _decode(line)
        yield BadRow(number, _NOT_UTF8) if text is None else _parse_object(number, text)


def read_csv(stream: BinaryIO, format: FileFormat, name: str) -> Iterator[Row | BadRow]:
    """Read CSV or TSV with a header; quotes as in RFC 4180, every row as wide as the header."""
    records = _csv_records(stream, format, name)
    header = _csv_header(records, name)
    number = 0
    while True:
        first_line = records.line_num + 1
        try:
            fields = next(records)
        except StopIteration:
            return
        except csv.Error as error:
            number += 1
            yield BadRow(number, f"(line {first_line}) {_explain(error)}")
            continue
        number += 1
        if not fields:
            continue
        if len(fields) != len(header):
            yield BadRow(
                number, f"(line {first_line}) has {len(fields)} fields, the header has {len(header)}"
            )
        elif any(not field.isascii() and _SURROGATE.search(field) for field in fields):
            yield BadRow(number, f"(line {first_line}) {_NOT_UTF8}")
        else:
            yield Row(number, dict(zip(header, fields, strict=True)))


def read_csv_header(stream: BinaryIO, format: FileFormat, name: str) -> tuple[str, ...]:
    """Read only the column names; an empty file has none."""
    return tuple(_csv_header(_csv_records(stream, format, name), name))


def _lines(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """Split at line feeds only: other line ends inside a text (U+2028, form feed) belong to the text."""
    limit = MAX_LINE_BYTES
    line = stream.readline(limit)
    for mark, encoding in _OTHER_ENCODINGS:
        if line.startswith(mark):
            raise DataError(
                f"{name} is {encoding}, labelwise reads UTF-8: convert it with iconv -f {encoding} -t UTF-8"
            )
    line = line.removeprefix(codecs.BOM_UTF8)
    line_number = 1
    while line:
        if len(line) >= limit:
            raise DataError(
                f"{name}, line {line_number} is longer than {limit} bytes: is it a text file of rows?"
            )
        yield line
        line = stream.readline(limit)
        line_number += 1


def _numbered_lines(stream: BinaryIO, name: str) -> Iterator[tuple[int, bytes]]:
    return enumerate(_lines(stream, name), start=1)


def _decode(line: bytes) -> str | None:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return None


class _UnusableJsonError(ValueError):
    """JSON that parses and still cannot be used."""


def _parse_object(number: int, text: str) -> Row | BadRow:
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite_float)
        # Raw surrogates cannot come out of UTF-8, only out of an escape.
        if "\\u" in text and _holds_surrogate(value):
            return BadRow(
                number, "holds half of a surrogate pair (\\ud800 to \\udfff alone), which is not text"
            )
    except json.JSONDecodeError as error:
        return BadRow(number, f"is not JSON: {error.msg} at character {error.pos + 1}")
    except RecursionError:
        return BadRow(number, "is nested too deeply")
    except ValueError as error:
        return BadRow(
            number, str(error) if isinstance(error, _UnusableJsonError) else "holds a number that is too long"
        )
    if not isinstance(value, dict):
        return BadRow(number, f'is a JSON {_json_type(value)}, not an object such as {{"text": "..."}}')
    return Row(number, value)


def _refuse_constant(constant: str) -> None:
    raise _UnusableJsonError(f"holds {constant}, which is not JSON")


def _finite_float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise _UnusableJsonError(f"holds the number {digits[:20]}, which is out of range")
    return value


def _json_type(value: Any) -> str:
    return {list: "array", str: "string", bool: "boolean", type(None): "null"}.get(type(value), "number")


def _holds_surrogate(value: Any) -> bool:
    if isinstance(value, str):
        return _SURROGATE.search(value) is not None
    if isinstance(value, dict):
        return any(_holds_surrogate(key) or _holds_surrogate(inner) for key, inner in value.items())
    return isinstance(value, list) and any(_holds_surrogate(inner) for inner in value)


def _csv_records(stream: BinaryIO, format: FileFormat, name: str) -> CsvReader:
    # The limit is one for the whole process: raise it, never lower what somebody else has set.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE_BYTES))
    # Bytes that are not UTF-8 pass as surrogates, so that only their own row is bad.
    lines = (line.decode("utf-8", "surrogateescape") for line in _lines(stream, name))
    return csv.reader(lines, delimiter=format.delimiter, strict=True)


def _csv_header(records: CsvReader, name: str) -> list[str]:
    try:
        header = next((fields for fields in records if fields), [])
    except csv.Error as error:
        raise DataError(f"{name}, header: {_explain(error)}") from error
    if any(_SURROGATE.search(column) for column in header):
        raise DataError(f"{name}, header: {_NOT_UTF8}")
    doubled = next((column for column in header if header.count(column) > 1), None)
    if doubled is not None:
        raise DataError(f"{name}, header: column {doubled!r} appears more than once; rename one")
    return header


def _explain(error: csv.Error) -> str:
    known = {
        "unexpected end of data": "a quote opens and does not close: all lines to the end are in it",
        "expected after": "text follows a closing quote; write quotes inside a field twice",
        "new-line character seen": "holds a carriage return outside quotes",
        "field larger": "a field is too long; is there a quote that does not close?",
    }
    return next((plain for part, plain in known.items() if part in str(error)), str(error))

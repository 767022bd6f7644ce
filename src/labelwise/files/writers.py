"""Rows out: turn rows into the bytes of CSV, TSV, JSONL or an Arrow spool. Nothing here touches a file.

CSV cells that a spreadsheet would run as a formula get a ``'`` in front unless `raw_csv` is set. This cannot
be undone from the file alone; JSONL and Parquet keep every text as it is.
"""

from __future__ import annotations

import base64
import gzip
import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final, Protocol

from labelwise.errors import DataError
from labelwise.files.columnar import ChunkSpool
from labelwise.files.formats import FileFormat

__all__ = ["CsvWriter", "JsonlWriter", "RowWriter", "guard_formula", "open_writer"]

# The wide forms are what Japanese spreadsheets read as = + - @.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class RowWriter(Protocol):
    """Turns chunks of rows into bytes that can be appended one after the other."""

    def start(self) -> bytes:
        """Give what stands before the first row."""

    def encode(self, rows: Sequence[Mapping[str, Any]]) -> bytes:
        """Give the bytes of one chunk."""


def open_writer(
    format: FileFormat,
    *,
    columns: Sequence[str],
    raw_csv: bool = False,
    arrow_types: Mapping[str, Any] | None = None,
    spool: Path | None = None,
) -> RowWriter:
    """Make the writer of a format.

    Args:
        format: what to write.
        columns: the columns in order; JSONL takes each row's own.
        raw_csv: leave texts alone that a spreadsheet would run as a formula.
        arrow_types: the Arrow types of columns, where they are known (Parquet only).
        spool: the unfinished file to go on with (Parquet only).
    """
    if format.kind == "parquet":
        return _ParquetWriter(columns, arrow_types or {}, spool)
    writer: RowWriter = (
        JsonlWriter() if format.kind == "jsonl" else CsvWriter(columns, format.delimiter, raw_csv)
    )
    return _GzipWriter(writer) if format.is_gzipped else writer


class CsvWriter:
    """CSV or TSV: a header, then one record a row; null is empty, nested values are JSON."""

    def __init__(self, columns: Sequence[str], delimiter: str, raw_csv: bool) -> None:
        self._columns = tuple(columns)
        self._delimiter = delimiter
        self._raw_csv = raw_csv
        self._needs_quotes = re.compile(f'["\r\n{delimiter}]')

    def start(self) -> bytes:
        """Give the header; nothing where there are no columns."""
        return self._record(self._columns) if self._columns else b""

    def encode(self, rows: Sequence[Mapping[str, Any]]) -> bytes:
        """Give the records of one chunk."""
        return b"".join(self._record([row.get(name) for name in self._columns]) for row in rows)

    def _record(self, values: Sequence[Any]) -> bytes:
        cells = [self._cell(value) for value in values]
        # A record of one empty cell would be a blank line, which readers skip.
        return (self._delimiter.join(cells) if cells != [""] else '""').encode() + b"\n"

    def _cell(self, value: Any) -> str:
        if isinstance(value, str):
            text = value if self._raw_csv else guard_formula(value)
        else:
            text = _cell_text(value)
        if self._needs_quotes.search(text):
            return '"' + text.replace('"', '""') + '"'
        return text


class JsonlWriter:
    """JSONL: one JSON object a row, UTF-8 without escapes; numbers that are not finite become null."""

    def start(self) -> bytes:
        """Give nothing: JSONL has no header."""
        return b""

    def encode(self, rows: Sequence[Mapping[str, Any]]) -> bytes:
        """Give the lines of one chunk."""
        return "".join(_json(row) + "\n" for row in rows).encode()


def guard_formula(text: str) -> str:
    """Put a ``'`` before a text that a spreadsheet would run as a formula; plain numbers such as -5 stay."""
    if text.startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text


class _GzipWriter:
    """Each chunk is a gzip member of its own: members one after the other are a gzip file."""

    def __init__(self, writer: RowWriter) -> None:
        self._writer = writer

    def start(self) -> bytes:
        # A gzip file has to hold one member at least, and its time is 0 so that equal rows give equal files.
        return gzip.compress(self._writer.start(), mtime=0)

    def encode(self, rows: Sequence[Mapping[str, Any]]) -> bytes:
        return gzip.compress(self._writer.encode(rows), mtime=0)


class _ParquetWriter:
    def __init__(self, columns: Sequence[str], types: Mapping[str, Any], spool: Path | None) -> None:
        self._spool = ChunkSpool(columns, types=types, spool=spool)

    def start(self) -> bytes:
        return b""

    def encode(self, rows: Sequence[Mapping[str, Any]]) -> bytes:
        return self._spool.encode(rows)


def _cell_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return "" if math.isnan(value) else float.__repr__(value)
    if isinstance(value, dict | list | tuple):
        return _json(value)
    plain = _json_default(value)
    return plain if isinstance(plain, str) else _cell_text(plain)


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_json_default)
    except ValueError:
        return json.dumps(_without_nan(value), ensure_ascii=False, allow_nan=False, default=_json_default)


def _json_default(value: Any) -> Any:
    """Turn what JSON does not know into what it knows: numpy numbers and arrays, dates, decimals, bytes."""
    if hasattr(value, "dtype") and hasattr(value, "tolist"):
        return _without_nan(value.tolist())
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if type(value).__name__ in ("Decimal", "UUID", "timedelta", "Timedelta"):
        return str(value)
    raise DataError(f"a value of type {type(value).__name__} cannot be written as text: {str(value)[:40]!r}")


def _without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _without_nan(inner) for key, inner in value.items()}
    return [_without_nan(inner) for inner in value] if isinstance(value, list | tuple) else value

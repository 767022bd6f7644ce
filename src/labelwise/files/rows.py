"""Rows in: one stream of numbered rows, whatever the file is.

Rows are numbered from 1 as a person counts them: a CSV header is not a row, a blank line is (it is skipped,
but the numbers after it still match the file).
"""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, cast

from labelwise.errors import DataError, InputError
from labelwise.files import columnar, text_rows
from labelwise.files.formats import FileFormat, input_format, is_stdio
from labelwise.files.row import BadRow, Row

__all__ = ["BadRowPolicy", "RowReader", "RowSource", "read_rows"]

BadRowPolicy = Literal["stop", "skip"]

_ROW_READERS: dict[str, Callable[[BinaryIO, FileFormat, str], Iterator[Row | BadRow]]] = {
    "txt": text_rows.read_txt,
    "jsonl": text_rows.read_jsonl,
    "csv": text_rows.read_csv,
    "tsv": text_rows.read_csv,
    "parquet": columnar.read_parquet,
}


def read_rows(
    source: str | Path,
    *,
    format: str | None = None,
    text_columns: Iterable[str] = (),
    on_bad_row: BadRowPolicy = "stop",
    on_bad: Callable[[BadRow], None] | None = None,
) -> Iterator[Row]:
    """Read a file, or stdin for ``-``, row by row in flat memory.

    Args:
        source: a .txt (one column, "text"), .csv, .tsv, .jsonl, .ndjson or .parquet file; all but the last
            also with .gz.
        format: the format, where the ending does not tell.
        text_columns: columns that must exist and hold text that is not blank.
        on_bad_row: whether a broken row stops the reading or is left out.
        on_bad: told of each row that is left out.

    Raises:
        InputError: there is no such file, format or column.
        DataError: the file is not what it says, or a row is broken and `on_bad_row` is "stop".

    Example:
        >>> [row.values["text"] for row in read_rows("reviews.csv", text_columns=["text"])]  # doctest: +SKIP
    """
    opened = RowSource.at(source, format=format, text_columns=text_columns, on_bad_row=on_bad_row)
    with opened.open(on_bad=on_bad) as rows:
        yield from rows


@dataclass(frozen=True, slots=True)
class RowSource:
    """A file of rows, not opened yet."""

    path: Path
    format: FileFormat
    text_columns: tuple[str, ...] = ()
    on_bad_row: BadRowPolicy = "stop"

    def __post_init__(self) -> None:
        if self.on_bad_row not in ("stop", "skip"):
            raise InputError(f"on_bad_row is {self.on_bad_row!r}: use 'stop' or 'skip'")
        if self.is_stdin:
            return
        if self.path.is_dir():
            raise InputError(f"{str(self.path)!r} is a folder: give a file")
        if not self.path.exists():
            raise InputError(f"there is no file {str(self.path)!r}")

    @classmethod
    def at(
        cls,
        path: str | Path,
        *,
        format: str | None = None,
        text_columns: Iterable[str] = (),
        on_bad_row: BadRowPolicy = "stop",
    ) -> RowSource:
        """Name a file, or stdin for ``-``; the format comes from the ending unless given."""
        return cls(Path(path), input_format(path, format=format), tuple(text_columns), on_bad_row)

    @property
    def is_stdin(self) -> bool:
        """Whether the rows come from stdin, and so only once."""
        return is_stdio(self.path)

    @property
    def name(self) -> str:
        """What messages call it."""
        return "stdin" if self.is_stdin else str(self.path)

    def open(self, *, on_bad: Callable[[BadRow], None] | None = None, start_after: int = 0) -> RowReader:
        """Open it for one pass; rows up to number `start_after` are passed over, broken or not."""
        return RowReader(self, on_bad=on_bad, start_after=start_after)

    def count_rows(self) -> int | None:
        """Count the rows where that is cheap: txt, JSONL (not gzipped) and Parquet; None elsewhere."""
        if self.is_stdin or self.format.is_gzipped:
            return None
        if self.format.kind == "parquet":
            return columnar.count_rows(self.path)
        if self.format.kind in ("txt", "jsonl"):
            with self.path.open("rb") as stream:
                return sum(1 for line in stream if line.strip())
        return None

    def column_names(self) -> tuple[str, ...] | None:
        """List the columns in order of appearance; None for stdin. JSONL is read through once for it."""
        if self.is_stdin:
            return None
        if self.format.kind == "parquet":
            return tuple(columnar.schema_of(self.path).names)
        if self.format.kind == "txt":
            return ("text",)
        with _OpenFile(self) as file:
            if self.format.kind != "jsonl":
                with _reading(self.name):
                    return text_rows.read_csv_header(file.stream, self.format, self.name)
            names: dict[str, None] = {}
            for row in file.rows():
                if isinstance(row, Row):
                    names.update(dict.fromkeys(row.values))
            return tuple(names)


class RowReader:
    """One pass over a source; iterate it once.

    Attributes:
        rows_read: good and bad rows so far, those passed over included.
        rows_skipped: bad rows among them.
        first_bad_rows: the first of the bad rows, at most `MAX_BAD_ROWS_KEPT`.
    """

    MAX_BAD_ROWS_KEPT = 20

    def __init__(
        self, source: RowSource, *, on_bad: Callable[[BadRow], None] | None, start_after: int
    ) -> None:
        self._source = source
        self._on_bad = on_bad
        self._start_after = start_after
        self._file = _OpenFile(source)
        self.rows_read = 0
        self.rows_skipped = 0
        self.first_bad_rows: list[BadRow] = []

    def __enter__(self) -> RowReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def fraction_read(self) -> float | None:
        """How much of the file has been read, 0 to 1, by bytes; None for stdin and Parquet."""
        return self._file.fraction_read

    def __iter__(self) -> Iterator[Row]:
        source = self._source
        has_checked_columns = False
        for row in self._file.rows():
            self.rows_read += 1
            if not has_checked_columns and isinstance(row, Row):
                _require_columns(row, source)
                has_checked_columns = True
            checked = _check_text(row, source.text_columns)
            if isinstance(checked, BadRow):
                self._leave_out(checked)
            elif checked.number > self._start_after:
                yield checked

    def _leave_out(self, row: BadRow) -> None:
        self.rows_skipped += 1
        if len(self.first_bad_rows) < self.MAX_BAD_ROWS_KEPT:
            self.first_bad_rows.append(row)
        if row.number <= self._start_after:
            return
        if self._source.on_bad_row == "stop":
            raise DataError(f"{self._source.name}, {row}")
        if self._on_bad is not None:
            self._on_bad(row)


class _OpenFile:
    """The bytes of a source, unzipped, and how far into the file they have come."""

    def __init__(self, source: RowSource) -> None:
        self._source = source
        try:
            self._raw = cast(BinaryIO, sys.stdin.buffer) if source.is_stdin else source.path.open("rb")
        except OSError as error:
            raise InputError(f"cannot open {source.name!r}: {error.strerror}") from error
        self._size = 0 if source.is_stdin else source.path.stat().st_size
        self._tells_position = not source.is_stdin and source.format.kind != "parquet"
        self.stream: BinaryIO = self._raw
        if source.format.is_gzipped:
            self.stream = cast(BinaryIO, gzip.GzipFile(fileobj=self._raw, mode="rb"))

    def __enter__(self) -> _OpenFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def fraction_read(self) -> float | None:
        if not self._tells_position:
            return None
        return 1.0 if self._raw.closed or self._size == 0 else min(1.0, self._raw.tell() / self._size)

    def rows(self) -> Iterator[Row | BadRow]:
        source = self._source
        with _reading(source.name):
            yield from _ROW_READERS[source.format.kind](self.stream, source.format, source.name)

    def close(self) -> None:
        if not self._source.is_stdin:
            self._raw.close()


@contextmanager
def _reading(name: str) -> Iterator[None]:
    """Turn what the disk or gzip raises into an error that names the file."""
    try:
        yield
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"cannot read {name}: {error}") from error


def _require_columns(row: Row, source: RowSource) -> None:
    for name in source.text_columns:
        if name not in row.values:
            existing = ", ".join(repr(column) for column in row.values)
            raise InputError(f"{source.name} has no column {name!r}: it has {existing}")


def _check_text(row: Row | BadRow, text_columns: tuple[str, ...]) -> Row | BadRow:
    if isinstance(row, BadRow):
        return row
    for name in text_columns:
        value: Any = row.values.get(name)
        if isinstance(value, str) and value and not value.isspace():
            continue
        if name not in row.values:
            return BadRow(row.number, f"has no column {name!r}")
        what = "empty" if value is None or isinstance(value, str) else f"{type(value).__name__}, not text"
        return BadRow(row.number, f"column {name!r} is {what}")
    return row

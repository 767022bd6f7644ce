"""Parquet: read rows from it, and build it from a spool of chunks that can be cut off and continued.

A Parquet file cannot be appended to, so an unfinished output is a spool: each chunk is one self-contained
Arrow stream, one after the other. Finishing turns the spool into Parquet, with row groups that do not depend
on the chunks.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

from labelwise.errors import DataError, require
from labelwise.files.formats import FileFormat
from labelwise.files.row import BadRow, Row

__all__ = ["ChunkSpool", "count_rows", "read_parquet", "schema_of", "write_parquet"]

_BATCH_ROWS: Final = 1024
_ROW_GROUP_ROWS: Final = 65_536


def read_parquet(stream: BinaryIO, format: FileFormat, name: str) -> Iterator[Row | BadRow]:
    """Read Parquet batch by batch; text that is not UTF-8 makes its own row bad."""
    number = 0
    try:
        for batch in _open(stream, name).iter_batches(batch_size=_BATCH_ROWS):
            yield from _batch_rows(batch, number)
            number += batch.num_rows
    except _arrow().ArrowException as error:
        raise DataError(f"{name}, after row {number}: {_first_line(error)}") from error


def schema_of(path: Path) -> Any:
    """Read the Arrow schema of a Parquet file."""
    with path.open("rb") as stream:
        return _open(stream, str(path)).schema_arrow


def count_rows(path: Path) -> int:
    """Read the number of rows from the footer."""
    with path.open("rb") as stream:
        return int(_open(stream, str(path)).metadata.num_rows)


class ChunkSpool:
    """Encode chunks of rows as Arrow streams whose types agree, so that finishing cannot fail on them.

    Args:
        columns: the columns of every row, in order.
        types: Arrow types of columns that are known, such as those of a Parquet input.
        spool: an unfinished spool to go on with.

    Attributes:
        schema: the Arrow schema that holds all chunks so far.
    """

    def __init__(
        self, columns: Sequence[str], *, types: Mapping[str, Any], spool: Path | None = None
    ) -> None:
        pa = _arrow()
        self._columns = tuple(columns)
        self._types = dict(types)
        self.schema = pa.schema([(name, self._types.get(name, pa.null())) for name in columns])
        if spool is not None:
            for table in _read_spool(spool):
                self._agree(table.schema)

    def encode(self, rows: Sequence[Mapping[str, Any]]) -> bytes:
        """Encode one chunk.

        Raises:
            DataError: a column holds values of kinds that one Parquet column cannot hold.
        """
        pa = _arrow()
        arrays = [self._array(name, [_plain(row.get(name)) for row in rows]) for name in self._columns]
        table = pa.Table.from_arrays(arrays, names=list(self._columns))
        self._agree(table.schema)
        sink = io.BytesIO()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return sink.getvalue()

    def _array(self, name: str, values: list[Any]) -> Any:
        pa = _arrow()
        try:
            return pa.array(values, type=self._types.get(name))
        except (pa.ArrowException, OverflowError, UnicodeEncodeError) as error:
            raise _mixed(name, error) from error

    def _agree(self, schema: Any) -> None:
        pa = _arrow()
        fields = []
        for known, new in zip(self.schema, schema, strict=True):
            try:
                fields += pa.unify_schemas(
                    [pa.schema([known]), pa.schema([new])], promote_options="permissive"
                )
                if fields[-1].type != known.type:
                    _require_storable(fields[-1])
            except pa.ArrowException as error:
                raise _mixed(new.name, error) from error
        self.schema = pa.schema(fields)


def write_parquet(spool: Path, target: BinaryIO, *, columns: Sequence[str], types: Mapping[str, Any]) -> None:
    """Turn a spool into a Parquet file of the same rows."""
    pa, parquet = _arrow(), require("pyarrow.parquet", extra="io")
    schema = ChunkSpool(columns, types=types, spool=spool).schema
    waiting: list[Any] = []
    with parquet.ParquetWriter(target, schema) as writer:
        for table in _read_spool(spool):
            waiting.append(table.cast(schema))
            if sum(part.num_rows for part in waiting) < _ROW_GROUP_ROWS:
                continue
            joined = pa.concat_tables(waiting)
            full_rows = joined.num_rows - joined.num_rows % _ROW_GROUP_ROWS
            writer.write_table(joined.slice(0, full_rows), row_group_size=_ROW_GROUP_ROWS)
            waiting = [joined.slice(full_rows)]
        if any(part.num_rows for part in waiting):
            writer.write_table(pa.concat_tables(waiting), row_group_size=_ROW_GROUP_ROWS)


def _arrow() -> Any:
    return require("pyarrow", extra="io")


def _open(stream: BinaryIO, name: str) -> Any:
    pa, parquet = _arrow(), require("pyarrow.parquet", extra="io")
    try:
        file = parquet.ParquetFile(stream)
    except pa.ArrowException as error:
        raise DataError(f"{name} is not a Parquet file that can be read: {_first_line(error)}") from error
    names = file.schema_arrow.names
    doubled = next((column for column in names if names.count(column) > 1), None)
    if doubled is not None:
        raise DataError(f"{name}: column {doubled!r} appears more than once; rename one")
    return file


def _batch_rows(batch: Any, rows_before: int) -> Iterator[Row | BadRow]:
    try:
        for index, values in enumerate(batch.to_pylist(), start=1):
            yield Row(rows_before + index, values)
    except UnicodeDecodeError:
        for index in range(batch.num_rows):
            number = rows_before + index + 1
            try:
                yield Row(number, batch.slice(index, 1).to_pylist()[0])
            except UnicodeDecodeError:
                yield BadRow(number, "is not UTF-8 text")


def _read_spool(spool: Path) -> Iterator[Any]:
    ipc = _arrow().ipc
    with spool.open("rb") as stream:
        size = spool.stat().st_size
        while stream.tell() < size:
            with ipc.open_stream(stream) as reader:
                yield reader.read_all()


def _require_storable(field: Any) -> None:
    """Open a writer for nothing: Arrow has types that Parquet refuses, such as an object without keys."""
    with require("pyarrow.parquet", extra="io").ParquetWriter(io.BytesIO(), _arrow().schema([field])):
        pass


def _plain(value: Any) -> Any:
    """Turn a numpy scalar into the Python number it holds."""
    return value.item() if hasattr(value, "dtype") and hasattr(value, "item") else value


def _mixed(name: str, error: Exception) -> DataError:
    return DataError(
        f"column {name!r} does not fit into one Parquet column ({_first_line(error)}): write .jsonl instead"
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]

"""Where the rows of a job go: a file that appears only when it is complete, or stdout."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from labelwise.errors import DataError, InputError
from labelwise.files.columnar import write_parquet
from labelwise.files.formats import FileFormat, is_stdio, output_format
from labelwise.files.manifest import JobManifest, sync_folder
from labelwise.files.partial import PartialFile
from labelwise.files.writers import RowWriter, open_writer

__all__ = ["FileOutput", "Output", "RowTarget", "StdoutOutput"]


@dataclass(frozen=True, slots=True)
class RowTarget:
    """A file to write rows to, or stdout.

    Attributes:
        path: the file.
        format: its format.
        raw_csv: leave texts in CSV and TSV alone that a spreadsheet would run as a formula.
        overwrite: replace a file that exists, and give up an unfinished run of it.
        clash_prefix: put before the name of a result column where the input has a column of that name.
    """

    path: Path
    format: FileFormat
    raw_csv: bool = False
    overwrite: bool = False
    clash_prefix: str = "labelwise_"

    def __post_init__(self) -> None:
        if not self.clash_prefix:
            raise InputError(
                "clash_prefix is empty: result columns would hide input columns of the same name"
            )
        if self.is_stdout:
            return
        if not self.path.parent.is_dir():
            raise InputError(f"there is no folder {str(self.path.parent)!r} to write {self.path.name!r} to")
        if self.path.exists() and not self.path.is_file():
            raise InputError(f"{str(self.path)!r} is not a file: choose another output")

    @classmethod
    def at(
        cls,
        path: str | Path,
        *,
        format: str | None = None,
        raw_csv: bool = False,
        overwrite: bool = False,
        clash_prefix: str = "labelwise_",
    ) -> RowTarget:
        """Name a file, or stdout for ``-``; the format comes from the ending unless given."""
        found = output_format(path, format=format)
        # A link stays a link: the rename at the end has to hit what it points to.
        real = Path(path) if is_stdio(path) else Path(path).resolve()
        return cls(real, found, raw_csv, overwrite, clash_prefix)

    @property
    def is_stdout(self) -> bool:
        """Whether the rows go to stdout."""
        return is_stdio(self.path)

    @property
    def partial_path(self) -> Path:
        """Where the rows are until the file is complete."""
        return self.path.with_name(self.path.name + ".partial")

    @property
    def manifest_path(self) -> Path:
        """Where an unfinished run says how far it came."""
        return self.path.with_name(self.path.name + ".manifest.json")


class Output(Protocol):
    """What a job writes to."""

    manifest: JobManifest

    def begin(self, *, input_columns: tuple[str, ...], columns: tuple[str, ...]) -> None:
        """Fix the columns; called once before the first row of a new output."""

    def commit(self, rows: Sequence[Mapping[str, Any]], *, last_row: int) -> None:
        """Add a chunk for good."""

    def finish(self) -> None:
        """Complete the output."""

    def close(self) -> None:
        """Let go of it, complete or not."""


class StdoutOutput:
    """Rows to stdout, each chunk flushed; nothing can be resumed. A closed pipe raises `BrokenPipeError`."""

    def __init__(self, target: RowTarget) -> None:
        self._target = target
        self._writer: RowWriter | None = None
        self.manifest = JobManifest({}, {})

    def begin(self, *, input_columns: tuple[str, ...], columns: tuple[str, ...]) -> None:
        """Write what stands before the first row."""
        self._writer = open_writer(self._target.format, columns=columns, raw_csv=self._target.raw_csv)
        self.manifest = replace(self.manifest, input_columns=input_columns, columns=columns)
        self._write(self._writer.start())

    def commit(self, rows: Sequence[Mapping[str, Any]], *, last_row: int) -> None:
        """Write a chunk and flush it."""
        if self._writer is not None:
            self._write(self._writer.encode(rows))
        written = self.manifest.rows_written + len(rows)
        self.manifest = replace(self.manifest, last_row=last_row, rows_written=written)

    def finish(self) -> None:
        """Do nothing: all is flushed."""

    def close(self) -> None:
        """Leave stdout open."""

    def _write(self, data: bytes) -> None:
        with _writing("stdout"):
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()


class FileOutput:
    """Rows to ``<path>.partial``, with a manifest beside it after each chunk, renamed to the path at the end.

    Args:
        target: where to.
        manifest: the state to go on from; a new one starts anew.
        is_resumable: whether to keep a manifest.
        arrow_types: the Arrow types of input columns, where they are known.
    """

    def __init__(
        self,
        target: RowTarget,
        manifest: JobManifest,
        *,
        is_resumable: bool,
        arrow_types: Mapping[str, Any],
    ) -> None:
        self._target = target
        self._is_resumable = is_resumable
        self._arrow_types = arrow_types
        self._writer: RowWriter | None = None
        self.manifest = manifest
        with _writing(target.partial_path):
            self._partial = PartialFile(target.partial_path)
        try:
            with _writing(target.partial_path):
                self._open(manifest)
        except BaseException:
            self.close()
            raise

    def begin(self, *, input_columns: tuple[str, ...], columns: tuple[str, ...]) -> None:
        """Fix the columns and write what stands before the first row."""
        self.manifest = replace(self.manifest, input_columns=input_columns, columns=columns)
        self._writer = self._open_writer(spool=None)
        with self._keeping():
            self._partial.append(self._writer.start())

    def commit(self, rows: Sequence[Mapping[str, Any]], *, last_row: int) -> None:
        """Append a chunk, then record it: a kill in between leaves bytes that the next run cuts off."""
        if self._writer is None:
            raise RuntimeError("begin() comes before commit()")
        data = self._writer.encode(rows)
        with self._keeping():
            self._partial.append(data)
            self._record(rows_written=self.manifest.rows_written + len(rows), last_row=last_row)

    def finish(self) -> None:
        """Give the file its name; each step can be repeated after a kill."""
        target = self._target
        with self._keeping():
            self._record(is_finished=True)
            if target.format.kind == "parquet":
                self._build_parquet()
                self._partial.discard()
            else:
                self._partial.rename(target.path)
            sync_folder(target.path.parent)
            target.manifest_path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the file; one without a row is not worth keeping."""
        if self.manifest.rows_written == 0 and not self.manifest.is_finished:
            self._partial.discard()
        else:
            self._partial.close()

    def _open(self, manifest: JobManifest) -> None:
        if manifest.rows_written == 0 and not manifest.is_finished:
            # First the manifest of an older run, then its bytes: the other way round, a kill in between would
            # leave a false manifest.
            self._target.manifest_path.unlink(missing_ok=True)
            sync_folder(self._target.path.parent)
            self._partial.start()
            return
        self._partial.resume(length=manifest.output_bytes, crc32=manifest.output_crc32)
        self._writer = self._open_writer(spool=self._target.partial_path)

    def _open_writer(self, *, spool: Path | None) -> RowWriter:
        return open_writer(
            self._target.format,
            columns=self.manifest.columns,
            raw_csv=self._target.raw_csv,
            arrow_types=self._arrow_types,
            spool=spool,
        )

    def _record(self, **changes: Any) -> None:
        partial = self._partial
        self.manifest = replace(
            self.manifest, output_bytes=partial.length, output_crc32=partial.crc32, **changes
        )
        if self._is_resumable:
            self.manifest.save(self._target.manifest_path)

    def _build_parquet(self) -> None:
        target = self._target
        merged = target.path.with_name(target.path.name + ".merging")
        try:
            with merged.open("wb") as stream:
                write_parquet(
                    target.partial_path, stream, columns=self.manifest.columns, types=self._arrow_types
                )
                stream.flush()
                os.fsync(stream.fileno())
            merged.replace(target.path)
        finally:
            merged.unlink(missing_ok=True)

    def _keeping(self) -> AbstractContextManager[None]:
        advice = "; the finished rows are kept: solve that, then resume" if self._is_resumable else ""
        return _writing(self._target.partial_path, advice)


@contextmanager
def _writing(where: str | Path, advice: str = "") -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise DataError(f"cannot write {where}: {error.strerror or error}{advice}") from error

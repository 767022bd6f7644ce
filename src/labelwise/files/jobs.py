"""Run a function over the rows of a file and write its results; a killed run can go on later.

The order of things after each chunk is what makes this safe: append the result rows, sync, then replace the
manifest, which says how long the output was. Whatever came after that length is cut off by the next run.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from labelwise.errors import DataError, InputError
from labelwise.files.columnar import schema_of
from labelwise.files.manifest import JobManifest, input_fingerprint
from labelwise.files.outputs import FileOutput, Output, RowTarget, StdoutOutput
from labelwise.files.progress import Progress, ProgressClock
from labelwise.files.row import BadRow, Row
from labelwise.files.rows import RowReader, RowSource

__all__ = ["JobReport", "Work", "run_job"]

Work = Callable[[Sequence[Row]], Sequence[Mapping[str, Any]]]
"""Takes a chunk of rows and gives the new columns of each, in the same order."""


@dataclass(frozen=True, slots=True)
class JobReport:
    """What a job did, earlier runs of it included.

    Attributes:
        rows_read: rows in the input.
        rows_written: rows in the output.
        rows_skipped: input rows that were broken and left out.
        rows_resumed: rows of the output that an earlier run had written.
        first_bad_rows: the first of the rows left out, 20 at most.
    """

    rows_read: int
    rows_written: int
    rows_skipped: int
    rows_resumed: int
    first_bad_rows: tuple[BadRow, ...]


def run_job(
    source: RowSource,
    work: Work,
    *,
    target: RowTarget,
    resume: bool = False,
    fingerprint: Mapping[str, str] | None = None,
    chunk_rows: int = 256,
    on_progress: Callable[[Progress], None] | None = None,
    on_bad: Callable[[BadRow], None] | None = None,
) -> JobReport:
    """Read rows, work on them in chunks, write each row with its new columns.

    Args:
        source: the rows.
        work: gives the new columns of each row of a chunk.
        target: where the rows go.
        resume: go on with an unfinished run of the same job; starts anew where there is none.
        fingerprint: what the results depend on besides the input (model, labels, ...); a resume must have
            the same.
        chunk_rows: rows in a chunk: at most that much work is lost by a kill.
        on_progress: told at the start, after each chunk and at the end.
        on_bad: told of each broken row that is left out.

    Raises:
        InputError: the job cannot be run or resumed this way; nothing was written.
        DataError: a row is broken, or the disk is full; what is done is kept and can be resumed.

    Example:
        >>> def count(rows):
        ...     return [{"characters": len(row.values["text"])} for row in rows]
        >>> run_job(RowSource.at("in.txt"), count, target=RowTarget.at("out.csv"))  # doctest: +SKIP
    """
    _check(source, target, resume=resume, chunk_rows=chunk_rows)
    manifest = _manifest(source, target, resume=resume, fingerprint=fingerprint or {})
    written_before = manifest.rows_written
    if manifest.is_finished and not target.partial_path.exists():
        # The last run was killed after the output got its name: all that is left is to count.
        with source.open(start_after=sys.maxsize) as reader:
            deque(reader, maxlen=0)
        target.manifest_path.unlink()
        return _report(reader, rows_written=written_before, rows_resumed=written_before)
    output = _open_output(source, target, manifest)
    try:
        with source.open(on_bad=on_bad, start_after=manifest.last_row) as reader:
            _Job(source, target, reader, output).run(work, chunk_rows, on_progress)
    finally:
        output.close()
    return _report(reader, rows_written=output.manifest.rows_written, rows_resumed=written_before)


class _Job:
    """One run over one reader into one output."""

    def __init__(self, source: RowSource, target: RowTarget, reader: RowReader, output: Output) -> None:
        self._source = source
        self._target = target
        self._reader = reader
        self._output = output
        self._is_begun = output.manifest.rows_written > 0 or output.manifest.is_finished

    def run(self, work: Work, chunk_rows: int, on_progress: Callable[[Progress], None] | None) -> None:
        reader, rows = self._reader, iter(self._reader)
        chunk = list(islice(rows, chunk_rows))
        tell = _progress_teller(self._source, reader, on_progress, rows_before=reader.rows_read - len(chunk))
        while chunk:
            results = work(chunk)
            if len(results) != len(chunk):
                raise InputError(
                    f"work gave {len(results)} results for {len(chunk)} rows: it must give one for each"
                )
            if not self._is_begun:
                self._begin(chunk, results)
            merged = [self._merge(row, result) for row, result in zip(chunk, results, strict=True)]
            self._output.commit(merged, last_row=chunk[-1].number)
            tell()
            chunk = list(islice(rows, chunk_rows))
        if not self._is_begun:
            self._begin([], [])
        tell()
        self._output.finish()

    def _begin(self, chunk: Sequence[Row], results: Sequence[Mapping[str, Any]]) -> None:
        known = self._source.column_names()
        if known is None:
            known = tuple(dict.fromkeys(name for row in chunk for name in row.values))
        added = (
            _written_name(name, known, self._target.clash_prefix) for result in results for name in result
        )
        self._output.begin(input_columns=known, columns=tuple(dict.fromkeys((*known, *added))))
        self._is_begun = True

    def _merge(self, row: Row, result: Mapping[str, Any]) -> dict[str, Any]:
        manifest = self._output.manifest
        merged = dict(row.values)
        for name, value in result.items():
            written = _written_name(name, manifest.input_columns, self._target.clash_prefix)
            if written in row.values:
                raise DataError(
                    f"{self._source.name}, row {row.number}: column {written!r} is new in the input and is "
                    f"also a result column: rename it, or choose another prefix"
                )
            merged[written] = value
        if self._target.format.has_fixed_columns:
            late = next((name for name in merged if name not in manifest.columns), None)
            if late is not None:
                raise DataError(
                    f"{self._source.name}, row {row.number}: column {late!r} is not in the first rows, and "
                    f"{self._target.format.name} has one set of columns: write .jsonl instead"
                )
        return merged


def _written_name(name: str, input_columns: Sequence[str], prefix: str) -> str:
    while name in input_columns:
        name = prefix + name
    return name


def _check(source: RowSource, target: RowTarget, *, resume: bool, chunk_rows: int) -> None:
    if chunk_rows < 1:
        raise InputError(f"chunk_rows is {chunk_rows}: it must be at least 1")
    if resume and (source.is_stdin or target.is_stdout):
        which = "stdin can be read only once" if source.is_stdin else "stdout cannot be cut back"
        raise InputError(f"cannot resume: {which}; give an input file and an output file")
    if source.is_stdin or target.is_stdout:
        return
    for path in (target.path, target.partial_path, target.manifest_path):
        if path.exists() and path.samefile(source.path):
            raise InputError(f"the output would overwrite the input {source.name!r}: choose another output")


def _manifest(
    source: RowSource, target: RowTarget, *, resume: bool, fingerprint: Mapping[str, str]
) -> JobManifest:
    """Find the state to start from: that of an unfinished run to go on with, or a new one."""
    if target.is_stdout:
        return JobManifest({}, {})
    settings = {
        **fingerprint,
        "output format": target.format.name,
        "raw CSV": str(target.raw_csv),
        "clash prefix": target.clash_prefix,
    }
    new = JobManifest({} if source.is_stdin else input_fingerprint(source), settings)
    found = None if target.overwrite and not resume else JobManifest.load(target.manifest_path)
    if found is not None and not resume:
        raise InputError(
            f"{target.partial_path} holds {found.rows_written} rows of an unfinished run: "
            f"resume it, or overwrite it"
        )
    if found is not None:
        found.require_same(input=new.input, settings=new.settings)
    # A run killed in its last steps may have put its output there already.
    is_ours = found is not None and found.is_finished
    if target.path.exists() and not target.overwrite and not is_ours:
        nothing = "nothing is left to resume and " if resume and found is None else ""
        raise InputError(
            f"{nothing}{str(target.path)!r} exists already: overwrite it, or choose another output"
        )
    # A finished output that somebody has moved away leaves nothing to go on with.
    is_gone = is_ours and not target.partial_path.exists() and not target.path.exists()
    return new if found is None or is_gone else found


def _open_output(source: RowSource, target: RowTarget, manifest: JobManifest) -> Output:
    if target.is_stdout:
        return StdoutOutput(target)
    types: dict[str, Any] = {}
    if source.format.kind == "parquet" and target.format.kind == "parquet":
        schema = schema_of(source.path)
        types = dict(zip(schema.names, schema.types, strict=True))
    return FileOutput(target, manifest, is_resumable=not source.is_stdin, arrow_types=types)


def _progress_teller(
    source: RowSource, reader: RowReader, on_progress: Callable[[Progress], None] | None, *, rows_before: int
) -> Callable[[], None]:
    """Make the function that reports where the reader is, and report the start."""
    if on_progress is None:
        return lambda: None
    clock = ProgressClock(
        rows_total=source.count_rows(), rows_before=rows_before, fraction_before=reader.fraction_read
    )
    on_progress(clock.at(rows_before, reader.fraction_read))
    return lambda: on_progress(clock.at(reader.rows_read, reader.fraction_read))


def _report(reader: RowReader, *, rows_written: int, rows_resumed: int) -> JobReport:
    bad_rows = tuple(reader.first_bad_rows)
    return JobReport(reader.rows_read, rows_written, reader.rows_skipped, rows_resumed, bad_rows)

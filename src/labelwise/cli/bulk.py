"""Files through a model: rows in, rows out, with a progress bar on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import typer

from labelwise.cli.options import FileOptions
from labelwise.errors import DataError, InputError
from labelwise.files import BadRow, JobReport, Progress, Row, run_job

__all__ = ["run_bulk"]

_WARNINGS_SHOWN = 5

Work = Callable[[Sequence[Row]], Sequence[Mapping[str, Any]]]


def run_bulk(
    files: FileOptions,
    work: Work,
    *,
    columns: list[str],
    fingerprint: Mapping[str, str],
    quiet: bool,
) -> None:
    """Run a verb over a file and say on stderr what was done.

    Args:
        files: input and output.
        work: gives the new columns of each row of a chunk.
        columns: input columns that must hold text.
        fingerprint: the settings that a resumed run must share.
        quiet: no progress bar, no closing line.
    """
    warned = 0

    def warn(bad: BadRow) -> None:
        nonlocal warned
        warned += 1
        if warned <= _WARNINGS_SHOWN:
            typer.echo(f"labelwise: left out {bad}", err=True)

    with _progress_bar(quiet) as show:
        report = run_job(
            files.source(columns=columns),
            _naming_rows(work, keeps_going=files.on_bad_row == "skip"),
            target=files.target(),
            resume=files.resume,
            fingerprint=fingerprint,
            on_progress=show,
            on_bad=warn,
        )
    if not quiet or report.rows_skipped:
        typer.echo(_closing_line(report), err=True)
    if report.rows_skipped and not report.rows_written:
        raise DataError(
            f"none of the {report.rows_read} rows could be used; the first was {report.first_bad_rows[0]}"
        )


def _naming_rows(work: Work, *, keeps_going: bool) -> Work:
    """Name a row that the model cannot take by its number; with ``keeps_going`` note it and go on."""

    def run(rows: Sequence[Row]) -> Sequence[Mapping[str, Any]]:
        try:
            results = work(rows)
        except InputError as error:
            if len(rows) > 1:
                return [run([row])[0] for row in rows]
            if not keeps_going:
                raise DataError(f"row {rows[0].number}: {error}") from None
            return [{"error": str(error)}]
        # All rows need the same columns, and the first ones decide what a CSV file has.
        return [{**result, "error": None} for result in results] if keeps_going else results

    return run


def _closing_line(report: JobReport) -> str:
    line = f"labelwise: {report.rows_written:,} rows written"
    if report.rows_resumed:
        line += f", {report.rows_resumed:,} of them by an earlier run"
    if report.rows_skipped:
        numbers = ", ".join(str(bad.number) for bad in report.first_bad_rows[:_WARNINGS_SHOWN])
        more = ", ..." if report.rows_skipped > _WARNINGS_SHOWN else ""
        line += f"; {report.rows_skipped:,} broken rows left out (row {numbers}{more})"
    return line


@contextmanager
def _progress_bar(quiet: bool) -> Iterator[Callable[[Progress], None] | None]:
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(), TextColumn("{task.description}"))
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=1.0)

        def show(progress: Progress) -> None:
            bar.update(task, completed=progress.fraction or 0.0, description=_progress_text(progress))

        yield show


def _progress_text(progress: Progress) -> str:
    total = f" of {progress.rows_total:,}" if progress.rows_total is not None else ""
    left = f", {_duration(progress.eta_s)} left" if progress.eta_s is not None else ""
    return f"{progress.rows_done:,}{total} rows, {progress.rows_per_s:,.1f} rows/s{left}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

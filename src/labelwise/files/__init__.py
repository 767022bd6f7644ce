"""Rows in, rows out, resume. Knows files, not models."""

from __future__ import annotations

from labelwise.files.formats import FileFormat, input_format, output_format
from labelwise.files.jobs import JobReport, run_job
from labelwise.files.outputs import RowTarget
from labelwise.files.progress import Progress
from labelwise.files.row import BadRow, Row
from labelwise.files.rows import RowSource, read_rows

__all__ = [
    "BadRow",
    "FileFormat",
    "JobReport",
    "Progress",
    "Row",
    "RowSource",
    "RowTarget",
    "input_format",
    "output_format",
    "read_rows",
    "run_job",
]

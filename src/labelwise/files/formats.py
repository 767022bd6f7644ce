"""Which format a path has: by its ending, or by name where there is no ending to go by."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, cast

from labelwise.errors import InputError

__all__ = ["STDIO", "FileFormat", "Kind", "input_format", "is_stdio", "output_format"]

Kind = Literal["txt", "csv", "tsv", "jsonl", "parquet"]

STDIO: Final = "-"
"""The path that means stdin for input and stdout for output."""

_KINDS: Final[dict[str, str]] = {
    "txt": "txt",
    "csv": "csv",
    "tsv": "tsv",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "parquet": "parquet",
}
_KNOWN: Final = ".txt .csv .tsv .jsonl .ndjson (each also with .gz) .parquet"


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A kind of file, and whether gzip is around it."""

    kind: Kind
    is_gzipped: bool = False

    def __post_init__(self) -> None:
        if self.kind == "parquet" and self.is_gzipped:
            raise InputError("Parquet is compressed inside: use .parquet, not .parquet.gz")

    @property
    def name(self) -> str:
        """The name that `format=` takes, such as ``csv.gz``."""
        return f"{self.kind}.gz" if self.is_gzipped else self.kind

    @property
    def has_fixed_columns(self) -> bool:
        """Whether every row has the same columns (all but JSONL)."""
        return self.kind != "jsonl"

    @property
    def delimiter(self) -> str:
        """What stands between two fields of a CSV or TSV row."""
        return "\t" if self.kind == "tsv" else ","


def is_stdio(path: str | Path) -> bool:
    """Tell whether the path is ``-``."""
    return str(path) == STDIO


def input_format(path: str | Path, *, format: str | None = None) -> FileFormat:
    """Find the format to read; stdin is lines of text unless `format` says otherwise.

    Raises:
        InputError: the ending or `format` is unknown, or Parquet is to come from stdin.
    """
    found = _format_of(path, format, stdio_kind="txt")
    if is_stdio(path) and found.kind == "parquet":
        raise InputError(
            "Parquet cannot be read from stdin: give a file, or use format jsonl, csv, tsv or txt"
        )
    return found


def output_format(path: str | Path, *, format: str | None = None) -> FileFormat:
    """Find the format to write; stdout is JSONL unless `format` says otherwise.

    Raises:
        InputError: the ending or `format` is unknown, is text without columns, or Parquet is to go to stdout.
    """
    found = _format_of(path, format, stdio_kind="jsonl")
    if found.kind == "txt":
        raise InputError(
            f"{str(path)!r}: results have columns, plain text has none: write .csv, .tsv, .jsonl or .parquet"
        )
    if is_stdio(path) and found.kind == "parquet":
        raise InputError("Parquet cannot go to stdout: give an output file, or use format jsonl, csv or tsv")
    return found


def _format_of(path: str | Path, format: str | None, *, stdio_kind: Kind) -> FileFormat:
    if format is not None:
        named = _parse(format.lower().lstrip(".").split("."))
        if named is None:
            raise InputError(f"unknown format {format!r}: known are {_KNOWN}")
        return named
    if is_stdio(path):
        return FileFormat(stdio_kind)
    by_ending = _parse([suffix.lstrip(".").lower() for suffix in Path(path).suffixes])
    if by_ending is None:
        raise InputError(f"{str(path)!r} has no known ending: known are {_KNOWN}; or name the format")
    return by_ending


def _parse(endings: list[str]) -> FileFormat | None:
    is_gzipped = endings[-1:] == ["gz"]
    inner = endings[:-1] if is_gzipped else endings
    kind = _KINDS.get(inner[-1]) if inner else None
    return None if kind is None else FileFormat(cast("Kind", kind), is_gzipped)

"""What people type, read into values: labels, thresholds, texts from stdin."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from labelwise.errors import InputError, LabelError

__all__ = [
    "read_label_file",
    "read_labels",
    "read_text_file",
    "read_threshold",
    "split_labels",
    "stdin_lines",
]


def read_labels(labels: str | None, labels_file: Path | None) -> Any:
    """Read labels from ``--labels "a,b"`` (CSV: quote a label that holds a comma) or ``--labels-file``.

    Raises:
        LabelError: neither or both are given, or the labels cannot be read.
    """
    if (labels is None) == (labels_file is None):
        raise LabelError("give the labels by --labels 'billing,delivery' or by --labels-file, one of them")
    if labels_file is not None:
        return read_label_file(labels_file)
    return split_labels(labels or "")


def split_labels(labels: str) -> list[str]:
    """Split names at commas; a name in double quotes may hold one.

    >>> split_labels('billing, "late, or lost"')
    ['billing', 'late, or lost']
    """
    return [name.strip() for name in next(csv.reader([labels], skipinitialspace=True), [])]


def read_label_file(path: Path) -> Any:
    """Read labels from .json (list, name -> description, or nested) or from text, one name a line."""
    text = read_text_file(path)
    if path.suffix.lower() != ".json":
        return [line.strip() for line in text.splitlines() if line.strip()]
    try:
        return json.loads(text)
    except ValueError as error:
        raise LabelError(f"labels file {str(path)!r} is not valid JSON: {error}") from None


def read_threshold(threshold: str | None) -> float | Mapping[str, float] | None:
    """Read ``0.5``, or one number per label: ``billing=0.7,delivery=0.4``."""
    if threshold is None:
        return None
    try:
        return float(threshold)
    except ValueError:
        pass
    by_label: dict[str, float] = {}
    for part in next(csv.reader([threshold], skipinitialspace=True), []):
        label, separator, number = part.rpartition("=")
        try:
            by_label[label.strip()] = float(number)
        except ValueError:
            separator = ""
        if not separator:
            raise InputError(f"--threshold {threshold!r} is neither a number nor label=number,label=number")
    return by_label


def read_text_file(path: Path) -> str:
    """Read a whole UTF-8 file."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read {str(path)!r}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{str(path)!r} is not UTF-8; convert it") from None


def stdin_lines(*, what: str) -> Iterator[str]:
    """Yield the lines of stdin that hold something, one text each.

    Args:
        what: what is missing when stdin is a terminal: "a text".

    Raises:
        InputError: nothing is piped in, or a line is not UTF-8.
    """
    if sys.stdin is None or sys.stdin.isatty():
        raise InputError(f"give {what}, --input FILE, or lines on stdin")
    for number, raw in enumerate(sys.stdin.buffer, start=1):
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError:
            raise InputError(f"line {number} of stdin is not UTF-8; convert it") from None
        if line:
            yield line

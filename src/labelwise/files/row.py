"""A row of a file, and a row that could not be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["BadRow", "Row"]


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number in the file, counted from 1, and its values by column."""

    number: int
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used, and why."""

    number: int
    reason: str

    def __str__(self) -> str:
        return f"row {self.number}: {self.reason}"

"""Read labelled rows for a verb: what cannot be used is named, and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from labelwise.errors import DataError

if TYPE_CHECKING:
    from labelwise.evaluation.labelled import LabelledRow
    from labelwise.evaluation.protocols import EvaluationSet
    from labelwise.evaluation.registry_rows import LeftOutRow

    NumberedRows = Iterable[tuple[int, Mapping[str, Any]]]
    OnBad = Callable[[LeftOutRow], None]

__all__ = ["FoundRows", "LeftOut", "file_rows", "found_rows"]

_NAMED_ROWS = 5


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rows of one source that cannot be used, by number."""

    rows: tuple[LeftOutRow, ...] = ()

    @classmethod
    def of(cls, rows: Iterable[LeftOutRow]) -> LeftOut:
        """Put them in the order of the source."""
        return cls(tuple(sorted(rows, key=lambda row: row.number)))

    def to_dict(self) -> dict[str, Any]:
        """Return how many there are, and the first of them where there are any."""
        first = [str(row) for row in self.rows[:_NAMED_ROWS]]
        return {"rows_left_out": len(self.rows), **({"first_rows_left_out": first} if first else {})}

    def tell(self, source: str) -> None:
        """Name the first few on stderr, and say how many there are."""
        for row in self.rows[:_NAMED_ROWS]:
            typer.echo(f"labelwise: {source}: left out {row}", err=True)
        if len(self.rows) > _NAMED_ROWS:
            typer.echo(f"labelwise: {source}: left out {len(self.rows):,} rows in all", err=True)


@dataclass(frozen=True, slots=True)
class FoundRows:
    """The usable rows of one source, and the others.

    Raises:
        DataError: no row can be used; the first bad one is named.
    """

    source: str
    rows: Sequence[LabelledRow]
    left_out: LeftOut

    def __post_init__(self) -> None:
        if not self.rows:
            first = f" (the first: {self.left_out.rows[0]})" if self.left_out.rows else ""
            raise DataError(f"{self.source} has no usable row{first}")


def file_rows(path: Path, *, on_bad: OnBad, text_columns: Iterable[str] = ()) -> NumberedRows:
    """Open a file; rows that cannot be read, or lack the text that they must hold, are told.

    Raises:
        InputError: there is no such file or column.
        DataError: the file is not what it says.
    """
    from labelwise.evaluation.registry_rows import LeftOutRow
    from labelwise.files import read_rows

    read = read_rows(
        path,
        text_columns=text_columns,
        on_bad_row="skip",
        on_bad=lambda row: on_bad(LeftOutRow(row.number, row.reason)),
    )
    return ((row.number, row.values) for row in read)


def found_rows(
    one: EvaluationSet,
    rows: NumberedRows,
    bad: list[LeftOutRow],
    *,
    limit: int | None = None,
    takes_plain_names: bool = True,
) -> FoundRows:
    """Read numbered rows as what a set needs.

    Args:
        one: says which column is what.
        rows: (row number, column -> value).
        bad: where reading ``rows`` puts those that it leaves out; others are put there too.
        limit: keep that many, spread over them evenly.
        takes_plain_names: as in ``labelled_rows``.

    Raises:
        DataError: the rows cannot be read, a column is missing, or no row can be used.
    """
    from labelwise.evaluation.labelled import labelled_rows

    found = labelled_rows(one, rows, limit=limit, on_bad=bad.append, takes_plain_names=takes_plain_names)
    return FoundRows(one.path or one.name, found, LeftOut.of(bad))

"""Flags that say which column of a labelled file is what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

__all__ = ["ColumnOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnOptions:
    """Columns by role; the usual names need no flag."""

    text_column: Annotated[str, typer.Option(help="The column that holds the text.")] = "text"
    label_column: Annotated[
        str, typer.Option(help="The column that holds the label, or a list of labels.")
    ] = "label"
    premise_column: Annotated[str, typer.Option(help="The column that holds the premise.")] = "premise"
    hypothesis_column: Annotated[str, typer.Option(help="The column that holds the hypothesis.")] = (
        "hypothesis"
    )

    @property
    def named(self) -> dict[str, str]:
        """Role -> column, for those that are not called what they usually are."""
        columns = {
            "text": self.text_column,
            "label": self.label_column,
            "premise": self.premise_column,
            "hypothesis": self.hypothesis_column,
        }
        return {role: column for role, column in columns.items() if column != role}

"""Show measures: a plain-text table for people, CSV for spreadsheets, JSON for machines."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["flatten_measures", "render_csv", "render_json", "render_text"]


def flatten_measures(measures: Mapping[str, Any]) -> dict[str, Any]:
    """Return the single values of nested measures under dotted names; lists of any kind are left out.

    >>> flatten_measures({"ece": 0.1, "qa": {"f1": 80.0, "per_label": [1, 2]}})
    {'ece': 0.1, 'qa.f1': 80.0}
    """
    flat: dict[str, Any] = {}
    for name, value in measures.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{inner}": found for inner, found in flatten_measures(value).items()}
        elif not isinstance(value, list | tuple | np.ndarray):
            flat[name] = value
    return flat


def render_text(rows: Sequence[Mapping[str, Any]], *, decimals: int = 4) -> str:
    """Return a table with one line per row, numbers to the right, a column for each name in any row.

    Args:
        rows: nested measures are flattened; a row may lack columns.
        decimals: digits after the point of numbers that are not whole counts.

    >>> print(render_text([{"set": "imdb", "f1": 0.5}, {"set": "cr", "f1": None}], decimals=2))
    set     f1
    ----  ----
    imdb  0.50
    cr       -
    """
    flat = [flatten_measures(row) for row in rows]
    names = _names(flat)
    cells = [[_shown(row.get(name), decimals) for name in names] for row in flat]
    is_text = [any(isinstance(row.get(name), str) for row in flat) for name in names]
    widths = [max(len(line[place]) for line in [names, *cells]) for place in range(len(names))]
    lines = [names, ["-" * width for width in widths], *cells]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if text else cell.rjust(width)
            for cell, width, text in zip(line, widths, is_text, strict=True)
        ).rstrip()
        for line in lines
    )


def render_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    r"""Return CSV with a header line, full precision, and empty cells where a row lacks a column.

    >>> render_csv([{"set": "imdb", "f1": 0.5}])
    'set,f1\nimdb,0.5\n'
    """
    flat = [flatten_measures(row) for row in rows]
    written = io.StringIO()
    writer = csv.DictWriter(written, fieldnames=_names(flat), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _plain(value) for name, value in row.items()} for row in flat)
    return written.getvalue()


def render_json(measures: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> str:
    """Return indented JSON; numbers that are not finite become null, which JSON can hold.

    >>> print(render_json({"ece": float("nan")}))
    {
      "ece": null
    }
    """
    return json.dumps(_plain(measures), ensure_ascii=False, indent=2, allow_nan=False)


def _names(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _shown(value: Any, decimals: int) -> str:
    plain = _plain(value)
    if plain is None:
        return "-"
    if isinstance(plain, float):
        return f"{plain:.{decimals}f}"
    # A line break in a name would tear the table.
    return " ".join(str(plain).split())


def _plain(value: Any) -> Any:
    """Turn numpy numbers and arrays, tuples and mappings into what json can write."""
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value

"""Show measures: a plain-text table for people, CSV for spreadsheets, JSON for machines."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = [
    "flatten_measures",
    "mean_rows",
    "render_blocks",
    "render_csv",
    "render_json",
    "render_text",
    "turned",
]

# fmt: off
_AVERAGED = (
    "accuracy", "balanced_accuracy", "micro_f1", "macro_f1", "exact_match", "lrap", "ece", "brier", "mrr",
    "ndcg@10", "exact", "f1",
)
# fmt: on


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
    cells = [[_shown(row.get(name), _decimals(name, decimals)) for name in names] for row in flat]
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


def turned(rows: Sequence[Mapping[str, Any]], *, name: str, measures: Sequence[str]) -> list[dict[str, Any]]:
    """Make a column of each row and a row of each measure, as model cards show them.

    A row without any of the measures keeps its column, empty.

    >>> turned([{"set": "imdb", "f1": 0.5}, {"set": "cr"}], name="set", measures=["f1"])
    [{'measure': 'f1', 'imdb': 0.5, 'cr': None}]
    """
    return [
        {"measure": measure, **{str(row[name]): row.get(measure) for row in rows}} for measure in measures
    ]


def render_blocks(rows: Sequence[Mapping[str, Any]], *, width: int = 110, decimals: int = 4) -> str:
    """Return a table whose columns are broken into blocks that fit the width; the first column is in each.

    >>> print(render_blocks([{"measure": "f1", "imdb": 0.5, "cr": 0.25}], width=16, decimals=2))
    measure  imdb
    -------  ----
    f1       0.50
    <BLANKLINE>
    measure    cr
    -------  ----
    f1       0.25
    """
    first, *others = _names(rows)
    blocks: list[list[str]] = []
    for name in others:
        if blocks and len(_part_line(rows, [first, *blocks[-1], name], decimals)) <= width:
            blocks[-1].append(name)
        else:
            blocks.append([name])
    return "\n\n".join(
        render_text([{name: row.get(name) for name in (first, *block)} for row in rows], decimals=decimals)
        for block in blocks
    )


def mean_rows(
    rows: Sequence[Mapping[str, Any]], *, name: str, groups: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    """Return a row of means over the sets of each group, named by how many of its sets were measured.

    Args:
        rows: one per set; those without measures are counted as missing.
        name: the key that holds the set's name.
        groups: what the group is called -> the names of its sets.

    >>> mean_rows([{"set": "a", "accuracy": 0.5}, {"set": "b"}], name="set", groups={"": ["a", "b"]})
    [{'set': 'mean of 1 of 2', 'accuracy': 0.5}]
    """
    means: list[dict[str, Any]] = []
    for group, members in groups.items():
        of_group = [row for row in rows if row[name] in members]
        measured = [row for row in of_group if any(measure in row for measure in _AVERAGED)]
        shared = [measure for measure in _AVERAGED if measured and all(measure in row for row in measured)]
        count = f"{len(measured)}" if len(measured) == len(members) else f"{len(measured)} of {len(members)}"
        means.append(
            {name: f"mean of {count} {group}".rstrip()}
            | {measure: float(np.mean([row[measure] for row in measured])) for measure in shared}
        )
    return means


def _part_line(rows: Sequence[Mapping[str, Any]], names: Sequence[str], decimals: int) -> str:
    part = render_text([{name: row.get(name) for name in names} for row in rows], decimals=decimals)
    return part.partition("\n")[2].partition("\n")[0]


def _names(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _decimals(name: str, decimals: int) -> int:
    return min(decimals, 1) if name.endswith("_per_s") else decimals


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

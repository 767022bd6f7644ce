"""The tables of the HTML report: tiles, rows, bars and the confusion matrix as a heat map."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

__all__ = [
    "MOST_FLAT_NAMES",
    "bar_table",
    "confusion_table",
    "is_reading",
    "measure_name",
    "row_table",
    "shown",
    "tiles",
]

# So many labels have room for names that are written flat, and a matrix of theirs for a neighbour.
MOST_FLAT_NAMES = 6
# From this share on, white reads better on the colour than the page's ink.
_STRONG_SHARE = 0.72
_NAMES = {
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro-F1",
    "micro_f1": "micro-F1",
    "micro_precision": "micro-precision",
    "micro_recall": "micro-recall",
    "exact_match": "all labels right",
    "lrap": "label ranking precision",
    "labels_true": "true labels / text",
    "labels_accepted": "accepted labels / text",
    "best_micro_f1": "best micro-F1",
    "best_threshold": "threshold of best micro-F1",
    "ece": "ECE",
    "brier": "Brier score",
    "nll": "log loss",
    "f1": "F1",
    "mrr": "MRR",
    "exact": "exact match",
    "HasAns_exact": "exact, answerable",
    "HasAns_f1": "F1, answerable",
    "HasAns_total": "answerable",
    "NoAns_exact": "exact, no answer",
    "NoAns_f1": "F1, no answer",
    "NoAns_total": "without answer",
    "best_exact": "best exact",
    "best_exact_thresh": "threshold of best exact",
    "best_f1": "best F1",
    "best_f1_thresh": "threshold of best F1",
    "pr_exact_ap": "average precision, exact",
    "pr_f1_ap": "average precision, F1",
    "pr_oracle_ap": "average precision, oracle",
    "texts_per_s": "texts / s",
    "pairs_per_s": "pairs / s",
}
_RATES = frozenset({"texts_per_s", "pairs_per_s", "seconds"})


def is_reading(row: Mapping[str, Any]) -> bool:
    """Tell whether a row has the official SQuAD measures, which are per cent."""
    return "exact" in row and "f1" in row


def measure_name(key: str) -> str:
    """Return what people call a measure."""
    return _NAMES.get(key, key.replace("_", " ").replace("ndcg", "NDCG"))


def shown(value: Any, *, key: str = "", is_percent: bool = False) -> str:
    """Return a value for people: counts with commas, measures with three decimals, a dash for none.

    >>> shown(9815), shown(0.71964), shown(71.964, is_percent=True), shown(float("nan"))
    ('9,815', '0.720', '72.0 %', '-')
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "-" if value is None else str(value)
    if not math.isfinite(value):
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    if key in _RATES:
        return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
    if is_percent and not key.endswith(("_thresh", "ece", "brier")):
        return f"{value:.1f} %"
    return f"{value:.3f}"


def tiles(entries: Sequence[tuple[str, str]]) -> str:
    """Return names and values as a row of tiles."""
    cells = (f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in entries)
    return f'<dl class="tiles">{"".join(cells)}</dl>'


def row_table(
    caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], *, targets: Sequence[str] = ()
) -> str:
    """Return a table whose first column names the rows.

    Args:
        caption: what a screen reader says of the table.
        heads: names of the columns.
        rows: as many cells each.
        targets: ids on this page that the rows' names lead to; none leaves them plain.
    """
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    names = [escape(first) for first, *_ in rows]
    if targets:
        names = [
            f'<a href="#{escape(target)}">{name}</a>' for name, target in zip(names, targets, strict=True)
        ]
    body = "".join(
        f'<tr><th scope="row">{name}</th>{_cells(cells[1:])}</tr>'
        for name, cells in zip(names, rows, strict=True)
    )
    return _scrollable(
        caption, f'<table class="rows"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    )


def _cells(values: Sequence[str]) -> str:
    return "".join(f"<td>{escape(value)}</td>" for value in values)


def bar_table(entries: Sequence[tuple[str, float, str]], *, full: float) -> str:
    """Return (name, value, shown value) as horizontal bars; ``full`` is the value of the whole width."""
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td><div class="bar">'
        f'<i style="--share:{_share(value, full)}"></i>{escape(text)}</div></td></tr>'
        for name, value, text in entries
    )
    return f'<table class="bars"><tbody>{body}</tbody></table>'


def confusion_table(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """Return the matrix as a heat map: a cell's colour is its share of the row, its text the count.

    Args:
        labels: names of rows and columns.
        counts: by gold label (row) and predicted label (column).
    """
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in labels)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{_confusion_cells(name, labels, row)}</tr>'
        for name, row in zip(labels, counts, strict=False)
    )
    many = " many" if len(labels) > MOST_FLAT_NAMES else ""
    corner = '<th class="corner" scope="col">true ↓ / predicted →</th>'
    return _scrollable(
        "Confusion matrix",
        f'<table class="heat{many}"><thead><tr>{corner}{head}</tr></thead><tbody>{body}</tbody></table>',
    )


def _confusion_cells(gold: str, labels: Sequence[str], row: Sequence[int]) -> str:
    total = sum(row)
    cells = []
    for predicted, count in zip(labels, row, strict=False):
        share = count / total if total else 0.0
        style = "none" if not count else "strong" if share >= _STRONG_SHARE else ""
        note = f"{gold} read as {predicted}: {count:,} of {total:,}"
        kind = f' class="{style}"' if style else ""
        cells.append(f'<td{kind} style="--share:{share:.3f}" title="{escape(note)}">{count:,}</td>')
    return "".join(cells)


def _scrollable(caption: str, table: str) -> str:
    """Let a wide table scroll inside the page; the keyboard must reach it to scroll."""
    return f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(caption)}">{table}</div>'


def _share(value: float, full: float) -> str:
    share = value / full if full > 0 and math.isfinite(value) else 0.0
    return f"{min(max(share, 0.0), 1.0):.4f}"

"""One self-contained HTML page with the results of ``labelwise evaluate``: tables, plots, no script."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from labelwise.evaluation.html_style import STYLE
from labelwise.evaluation.html_tables import (
    MOST_FLAT_NAMES,
    bar_table,
    confusion_table,
    is_reading,
    measure_name,
    row_table,
    shown,
    tiles,
)
from labelwise.evaluation.svg_charts import (
    Columns,
    Series,
    histogram_chart,
    line_chart,
    reliability_chart,
)

__all__ = ["render_html"]

Row = Mapping[str, Any]

# The measure that stands for a file, the first that it has.
_MAIN_MEASURES = ("macro_f1", "f1", "ndcg@10", "ndcg", "mrr", "accuracy")
_NAME_KEYS = ("file", "set", "dataset", "name")
# fmt: off
_OVERVIEW_KEYS = (
    "accuracy", "balanced_accuracy", "micro_f1", "macro_f1", "exact_match", "lrap", "exact", "f1",
    "HasAns_f1", "NoAns_f1", "mrr", "ndcg", "ndcg@10", "ece", "brier", "rows", "texts_per_s", "pairs_per_s",
)
# fmt: on
_MOST_OPEN_ROWS = 20
_PERCENT = 100.0


def render_html(rows: Sequence[Mapping[str, Any]], *, title: str) -> str:
    """Return a page that opens from disk and fetches nothing.

    Args:
        rows: one mapping per data set: "file", and what ``Evaluation.to_dict`` gives. Any key may be missing,
            and what it would show is left out. Further numbers become tiles, further texts a line of facts.
        title: the page's heading.

    >>> "<h1>Night run</h1>" in render_html([{"file": "imdb", "accuracy": 0.9}], title="Night run")
    True
    """
    body = [f"<header><h1>{escape(title)}</h1>{_summary(rows)}</header>", "<main>"]
    if rows:
        body.append(_overview(rows))
    body += [_file_section(row, number) for number, row in enumerate(rows, start=1)]
    body.append("</main>")
    page = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )
    # A label out of a damaged file may hold half a surrogate pair, which no file can be written with.
    return page.encode("utf-8", "replace").decode("utf-8")


def _summary(rows: Sequence[Row]) -> str:
    if not rows:
        return '<p class="muted">There are no results.</p>'
    num_rows = sum(row["rows"] for row in rows if isinstance(row.get("rows"), int))
    count = f"{len(rows)} data set" + ("" if len(rows) == 1 else "s")
    return f'<p class="muted">{count}, {num_rows:,} rows.</p>'


def _name(row: Row, number: int) -> str:
    name = next((str(row[key]) for key in _NAME_KEYS if row.get(key)), f"Result {number}")
    return f"{name} · {row['model']}" if row.get("model") else name


def _number(value: Any) -> float | None:
    """Return a finite number; None for everything else."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None


def _shown(row: Row, key: str) -> str:
    return shown(row.get(key), key=key, is_percent=is_reading(row))


def _overview(rows: Sequence[Row]) -> str:
    numbered = list(enumerate(rows, start=1))
    mains = list(dict.fromkeys(_main_measure(row) for row in rows))
    groups = [(main, [entry for entry in numbered if _main_measure(entry[1]) == main]) for main in mains]
    cards = [_overview_table(group) for _, group in groups]
    cards += [_bar_card(measure_name(main), main, group) for main, group in groups if main is not None]
    timed = [entry for entry in numbered if _number(entry[1].get("texts_per_s")) is not None]
    if len(timed) > 1:
        cards.append(_bar_card("Speed, texts / s", "texts_per_s", timed))
    return f'<div class="cards">{"".join(cards)}</div>'


def _overview_table(numbered: Sequence[tuple[int, Row]]) -> str:
    keys = [key for key in _OVERVIEW_KEYS if any(_number(row.get(key)) is not None for _, row in numbered)]
    table = row_table(
        "Overview",
        ["data set", *map(measure_name, keys)],
        [[_name(row, number), *(_shown(row, key) for key in keys)] for number, row in numbered],
        targets=[f"result-{number}" for number, _ in numbered],
    )
    return f'<section class="card wide">{table}</section>'


def _main_measure(row: Row) -> str | None:
    return next((key for key in _MAIN_MEASURES if _number(row.get(key)) is not None), None)


def _bar_card(heading: str, key: str, numbered: Sequence[tuple[int, Row]]) -> str:
    """Show one measure that all of the rows have as bars."""
    values = [(_name(row, number), float(row[key]), _shown(row, key)) for number, row in numbered]
    highest = max(value for _, value, _ in values)
    full = highest if key == "texts_per_s" else _PERCENT if is_reading(numbered[0][1]) else 1.0
    return f'<section class="card"><h3>{escape(heading)}</h3>{bar_table(values, full=full)}</section>'


def _file_section(row: Row, number: int) -> str:
    cards = [
        _confusion_card(row),
        _reliability_card(row),
        _threshold_card(row),
        _precision_recall_card(row),
        _secondary_card(row),
        _length_card(row),
        _class_card(row),
    ]
    name = _name(row, number)
    return (
        f'<section id="result-{number}"><h2>{escape(name)}</h2>{_facts(row)}{_tiles(row)}'
        f'<div class="cards">{"".join(cards)}</div></section>'
    )


def _facts(row: Row) -> str:
    facts = [
        f"{measure_name(key)}: {value}"
        for key, value in row.items()
        if isinstance(value, str) and key not in (*_NAME_KEYS, "model")
    ]
    return f'<p class="muted">{escape(" · ".join(facts))}</p>' if facts else ""


def _tiles(row: Row) -> str:
    keys = [key for key, value in row.items() if _number(value) is not None and not _is_secondary(key)]
    return tiles([(measure_name(key), _shown(row, key)) for key in keys]) if keys else ""


def _is_secondary(key: str) -> bool:
    """Tell what readers look up rather than compare: thresholds, areas, counts."""
    return key.startswith(("best_", "pr_")) or key.endswith("total")


def _secondary_card(row: Row) -> str:
    keys = [key for key, value in row.items() if _number(value) is not None and _is_secondary(key)]
    if not keys:
        return ""
    table = row_table(
        "More measures", ["measure", "value"], [[measure_name(key), _shown(row, key)] for key in keys]
    )
    return f'<section class="card"><h3>More measures</h3>{table}</section>'


def _entries(row: Row, key: str) -> list[Mapping[str, Any]]:
    value = row.get(key)
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list | tuple) else []


def _all_numbers(entries: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> list[tuple[float, ...]]:
    """Return the numbers under the keys, of the entries that have them all; an empty bin has no mean."""
    found = (tuple(_number(entry.get(key)) for key in keys) for entry in entries)
    return [
        tuple(value for value in numbers if value is not None) for numbers in found if None not in numbers
    ]


def _card(heading: str, content: str, caption: str, *, is_wide: bool = False) -> str:
    kind = "card wide" if is_wide else "card"
    return (
        f'<figure class="{kind}"><h3>{escape(heading)}</h3>{content}'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _confusion_card(row: Row) -> str:
    confusion = row.get("confusion")
    if not isinstance(confusion, Mapping) or not confusion.get("counts"):
        return ""
    labels = [str(label) for label in confusion.get("labels", ())]
    table = confusion_table(labels, confusion["counts"])
    caption = "Rows by true label, columns by predicted label; the colour is the share of the row."
    return _card("Confusion matrix", table, caption, is_wide=len(labels) > MOST_FLAT_NAMES)


def _reliability_card(row: Row) -> str:
    keys = ("lower", "upper", "count", "mean_probability", "share_true")
    columns = [
        Columns(
            lower,
            upper,
            share,
            f"probability {lower:.2f} to {upper:.2f}: {count:,.0f} predictions, mean probability {mean:.3f}, "
            f"{share:.3f} came true",
            mean,
        )
        for lower, upper, count, mean, share in _all_numbers(_entries(row, "reliability_bins"), keys)
    ]
    if not columns:
        return ""
    ece = _number(row.get("ece"))
    stated = "" if ece is None else f"ECE {ece:.3f}. "
    caption = (
        f"{stated}Columns: the share that came true. Orange lines: the mean probability. On the dashed line "
        "both are equal."
    )
    return _card("Reliability", reliability_chart(columns, title=f"Reliability diagram. {stated}"), caption)


def _threshold_card(row: Row) -> str:
    keys = ("threshold", "precision", "recall", "f1")
    points = _all_numbers(_entries(row, "threshold_curve"), keys)
    if not points:
        return ""
    best = max(points, key=lambda point: (point[3], point[0]))
    series = [
        Series(name, [(point[0], point[place]) for point in points])
        for place, name in enumerate(("precision", "recall", "F1"), start=1)
    ]
    summary = f"Best F1 {best[3]:.3f} at threshold {best[0]:.3f}"
    chart = line_chart(
        series,
        title=f"Precision, recall and F1 by threshold. {summary}",
        x_name="threshold",
        y_name="measure",
        marked=(best[0], best[3], summary),
    )
    return _card("By threshold", chart, f"{summary}, chosen on these rows themselves.")


def _precision_recall_card(row: Row) -> str:
    points = _all_numbers(_entries(row, "precision_recall_curve"), ("recall", "precision"))
    if not points:
        return ""
    area = _number(row.get("pr_f1_ap"))
    stated = "" if area is None else f"Average precision {area:.1f} %. "
    chart = line_chart(
        [Series("precision", [(recall, precision) for recall, precision in sorted(points)])],
        title=f"Precision by recall. {stated}",
        x_name="recall",
        y_name="precision",
    )
    return _card("Precision and recall", chart, f"{stated}One point for each threshold of the null score.")


def _length_card(row: Row) -> str:
    columns = [
        Columns(lower, upper, count, f"{lower:,.0f} to {upper - 1:,.0f} characters: {count:,.0f}")
        for lower, upper, count in _all_numbers(
            _entries(row, "length_histogram"), ("lower", "upper", "count")
        )
    ]
    if not columns:
        return ""
    chart = histogram_chart(
        columns, title="Texts by their length in characters", x_name="characters", y_name="texts"
    )
    speeds = [
        f"{_shown(row, key)} {measure_name(key)}" for key in ("texts_per_s", "pairs_per_s") if key in row
    ]
    stated = f" Read at {' and '.join(speeds)}." if speeds else ""
    return _card("Length and speed", chart, f"How many texts are how long.{stated}")


def _class_card(row: Row) -> str:
    entries = _entries(row, "per_class")
    if not entries:
        return ""
    keys = ("precision", "recall", "f1", "support", "predicted")
    table = row_table(
        "Measures by label",
        ["label", *map(measure_name, keys)],
        [[str(entry.get("label", "-")), *(shown(entry.get(key)) for key in keys)] for entry in entries],
    )
    is_open = " open" if len(entries) <= _MOST_OPEN_ROWS else ""
    return (
        f'<section class="card wide"><details{is_open}><summary>By label ({len(entries):,})</summary>'
        f"{table}</details></section>"
    )

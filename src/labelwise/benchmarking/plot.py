"""A benchmark as one SVG file: bars of pairs per second, workload by workload."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from labelwise.benchmarking.result import BenchmarkResult, Measurement

__all__ = ["plot_svg"]

_WIDTH, _LEFT, _RIGHT = 760, 210, 150
_BAR, _GAP, _GROUP, _TOP = 20, 6, 34, 44
_STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#1a2230}.muted{fill:#566070}.bar{fill:#0b62c4}"
    ".first{fill:#8a94a3}.whisker{stroke:#1a2230;stroke-width:1.5}.page{fill:#fff}"
    "@media(prefers-color-scheme:dark){text{fill:#e7ebf1}.muted{fill:#a0abba}.bar{fill:#6cb1ff}"
    ".first{fill:#7b8798}.whisker{stroke:#e7ebf1}.page{fill:#10151c}}"
)


def plot_svg(result: BenchmarkResult) -> str:
    """Draw pairs per second by the median turn, from the slowest to the fastest turn as a whisker.

    Each workload has a scale of its own; the number behind a bar is the rate and the ratio to the first
    system, whose bars are grey.
    """
    parts: list[str] = [_text(16, 24, "Pairs per second (median; line: slowest to fastest turn)", "")]
    y = _TOP
    for workload in dict.fromkeys(one.workload for one in result.measurements):
        group = [one for one in result.measurements if one.workload == workload]
        parts.append(_text(16, y + 15, f"{workload}, {group[0].num_labels} labels", "muted"))
        y += _BAR + _GAP
        parts.extend(_bars(group, y))
        y += len(group) * (_BAR + _GAP) + _GROUP - _GAP
    title = escape("Benchmark of " + ", ".join(one.system for one in result.systems))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y}" role="img" aria-label="{title}">'
        f'<title>{title}</title><style>{_STYLE}</style><rect class="page" width="{_WIDTH}" height="{y}"/>'
        f"{''.join(parts)}</svg>\n"
    )


def _bars(group: Sequence[Measurement], top: int) -> list[str]:
    fastest = max(_pairs(one) / min(one.timing.seconds) for one in group)
    parts = []
    for place, one in enumerate(group):
        y = top + place * (_BAR + _GAP)
        middle = y + _BAR / 2
        low, high = (_x(_pairs(one) / seconds, fastest) for seconds in _slowest_and_fastest(one))
        style = "bar first" if place == 0 else "bar"
        width = _x(one.pairs_per_s, fastest) - _LEFT
        parts.append(_text(_LEFT - 8, y + 15, one.system, "", anchor="end"))
        parts.append(f'<rect class="{style}" x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR}"/>')
        parts.append(f'<path class="whisker" d="M{low:.1f} {middle:.1f}H{high:.1f}"/>')
        parts.append(_text(high + 8, y + 15, f"{one.pairs_per_s:,.1f}  ({one.ratio:.2f} x)", ""))
    return parts


def _pairs(one: Measurement) -> int:
    return one.num_texts * one.num_labels


def _slowest_and_fastest(one: Measurement) -> tuple[float, float]:
    return max(one.timing.seconds), min(one.timing.seconds)


def _x(rate: float, fastest: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * rate / fastest


def _text(x: float, y: float, text: str, style: str, *, anchor: str = "start") -> str:
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'

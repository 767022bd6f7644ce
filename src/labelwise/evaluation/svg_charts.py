"""Small charts as inline SVG: lines, a reliability diagram and a histogram, coloured by the page's style."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Columns", "Series", "histogram_chart", "line_chart", "reliability_chart"]

_WIDTH, _HEIGHT = 440, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 14, 30, 46
_CLASSES = ("first", "second", "third")
_MOST_TICKS = 6
_LEGEND_STEP = 112


@dataclass(frozen=True, slots=True)
class Series:
    """A named line through (x, y) points, x rising."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Columns:
    """One column of a bar chart: from ``lower`` to ``upper`` on the x axis, ``height`` high.

    ``mean`` is drawn as a line across the column; ``note`` shows while the pointer rests on it.
    """

    lower: float
    upper: float
    height: float
    note: str
    mean: float | None = None


@dataclass(frozen=True, slots=True)
class _Frame:
    """Maps values to places in the drawing."""

    left: float
    right: float
    bottom: float
    top: float

    def x(self, value: float) -> float:
        share = (value - self.left) / (self.right - self.left)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        share = (value - self.bottom) / (self.top - self.bottom)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)

    def axes(self, x_name: str, y_name: str) -> str:
        """Draw grid lines, tick labels and the axes' names."""
        parts = []
        for value in _ticks(self.bottom, self.top):
            y = self.y(value)
            parts.append(_line("grid", _LEFT, y, _WIDTH - _RIGHT, y))
            parts.append(_text(_LEFT - 7, y + 4, _tick_label(value), anchor="end"))
        for value in _ticks(self.left, self.right):
            parts.append(_text(self.x(value), _HEIGHT - _BOTTOM + 17, _tick_label(value)))
        middle = (_LEFT + _WIDTH - _RIGHT) / 2
        parts.append(_text(middle, _HEIGHT - 8, x_name))
        centre = (_TOP + _HEIGHT - _BOTTOM) / 2
        parts.append(
            f'<text x="12" y="{_place(centre)}" text-anchor="middle" '
            f'transform="rotate(-90 12 {_place(centre)})">{escape(y_name)}</text>'
        )
        return "".join(parts)


def line_chart(
    series: Sequence[Series],
    *,
    title: str,
    x_name: str,
    y_name: str,
    marked: tuple[float, float, str] | None = None,
) -> str:
    """Draw up to three lines over a y axis from 0 to 1.

    Args:
        series: at least one of them with a point.
        title: what a screen reader says of the chart.
        x_name: name of the x axis.
        y_name: name of the y axis.
        marked: x, y and note of one point to mark.
    """
    places = [x for one in series for x, _ in one.points]
    frame = _Frame(*_range(min(places), max(places)), 0.0, 1.0)
    parts = [frame.axes(x_name, y_name), _legend([one.name for one in series])]
    for one, style in zip(series, _CLASSES, strict=False):
        points = " ".join(f"{_place(frame.x(x))},{_place(frame.y(y))}" for x, y in one.points)
        parts.append(f'<polyline class="series {style}" points="{points}"/>')
    if marked is not None:
        x, y, note = marked
        parts.append(
            f'<circle class="mark" cx="{_place(frame.x(x))}" cy="{_place(frame.y(y))}" r="5">'
            f"<title>{escape(note)}</title></circle>"
        )
    return _svg(title, parts)


def reliability_chart(columns: Sequence[Columns], *, title: str) -> str:
    """Draw the share that came true over the probability, and where perfect probabilities would be."""
    frame = _Frame(0.0, 1.0, 0.0, 1.0)
    parts = [frame.axes("probability", "share that came true"), *_columns(columns, frame)]
    parts.append(_line("ideal", frame.x(0.0), frame.y(0.0), frame.x(1.0), frame.y(1.0)))
    return _svg(title, parts)


def histogram_chart(columns: Sequence[Columns], *, title: str, x_name: str, y_name: str) -> str:
    """Draw counts as columns; there must be at least one column."""
    highest = max(1.0, *(column.height for column in columns))
    frame = _Frame(columns[0].lower, columns[-1].upper, 0.0, highest * 1.05)
    return _svg(title, [frame.axes(x_name, y_name), *_columns(columns, frame)])


def _columns(columns: Sequence[Columns], frame: _Frame) -> list[str]:
    parts = []
    for column in columns:
        left, right, top = frame.x(column.lower), frame.x(column.upper), frame.y(column.height)
        width, height = max(right - left - 2, 0.5), frame.y(0.0) - top
        parts.append(
            f'<rect class="column" x="{_place(left + 1)}" y="{_place(top)}" width="{_place(width)}" '
            f'height="{_place(height)}"><title>{escape(column.note)}</title></rect>'
        )
        if column.mean is not None:
            y = frame.y(column.mean)
            parts.append(_line("mean", left + 1, y, right - 1, y))
    return parts


def _svg(title: str, parts: Sequence[str]) -> str:
    name = escape(title)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{name}"><title>{name}</title>'
        f"{''.join(parts)}</svg>"
    )


def _legend(names: Sequence[str]) -> str:
    """Name the lines; a lone one is named by its axis."""
    if len(names) == 1:
        return ""
    parts = []
    for number, (name, style) in enumerate(zip(names, _CLASSES, strict=False)):
        x = _LEFT + number * _LEGEND_STEP
        parts.append(_line(f"series {style}", x, 13, x + 26, 13))
        parts.append(_text(x + 32, 17, name, anchor="start"))
    return "".join(parts)


def _line(style: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{style}" x1="{_place(x1)}" y1="{_place(y1)}" x2="{_place(x2)}" y2="{_place(y2)}"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "middle") -> str:
    return f'<text x="{_place(x)}" y="{_place(y)}" text-anchor="{anchor}">{escape(text)}</text>'


def _range(low: float, high: float) -> tuple[float, float]:
    """Return the ends of an axis: 0 to 1 for probabilities, else the data's own, never empty."""
    if low >= 0.0 and high <= 1.0:
        return 0.0, 1.0
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _ticks(low: float, high: float) -> list[float]:
    """Return round numbers from low to high, at most seven."""
    rough = (high - low) / (_MOST_TICKS - 1)
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [place * step for place in range(first, last + 1)]


def _tick_label(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.3g}"


def _place(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")

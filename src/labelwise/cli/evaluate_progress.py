"""How far a measurement is: one line that renews itself on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import monotonic
from typing import TextIO

__all__ = ["ProgressLine"]

_TERMINAL_S = 0.2
_LOG_S = 30.0


class ProgressLine:
    """Told (done, in all) by a model, it shows the rate and the time left.

    Args:
        name: what is measured.
        unit: what is counted: "pairs", "windows".
        stream: where to write.
        now_s: the clock.
    """

    def __init__(
        self,
        name: str,
        *,
        unit: str = "pairs",
        stream: TextIO | None = None,
        now_s: Callable[[], float] = monotonic,
    ) -> None:
        self._name, self._unit = name, unit
        self._stream = sys.stderr if stream is None else stream
        self._is_terminal = self._stream.isatty()
        self._now_s = now_s
        self._started_s = self._shown_s = now_s()
        self._width = 0

    def __call__(self, done: int, total: int) -> None:
        """Show the state, unless it was shown just before."""
        now_s = self._now_s()
        if now_s - self._shown_s < (_TERMINAL_S if self._is_terminal else _LOG_S):
            return
        self._shown_s = now_s
        line = self._text(done, total, elapsed_s=now_s - self._started_s)
        if self._is_terminal:
            self._stream.write("\r" + line.ljust(self._width))
            self._width = len(line)
        else:
            self._stream.write(line + "\n")
        self._stream.flush()

    def clear(self) -> None:
        """Take the line away before something else is written."""
        if self._is_terminal and self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()
            self._width = 0

    def _text(self, done: int, total: int, *, elapsed_s: float) -> str:
        rate = done / elapsed_s
        left = f", {_duration((total - done) / rate)} left" if rate else ""
        return (
            f"labelwise: {self._name}: {done:,} of {total:,} {self._unit}, {rate:,.1f} {self._unit}/s{left}"
        )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

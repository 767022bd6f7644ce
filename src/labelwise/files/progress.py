"""How far a job is, how fast it goes and how long it still takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

__all__ = ["Progress", "ProgressClock"]


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of a job; rows that were left out as broken count as done.

    Attributes:
        rows_done: rows behind us, those of earlier runs included.
        rows_total: rows in the input, where that is known.
        fraction: the part that is done, 0 to 1: by rows where the total is known, else by bytes; None for
            stdin.
        rows_per_s: the rate of this run.
        eta_s: seconds left at that rate, where the total or the fraction is known.
    """

    rows_done: int
    rows_total: int | None
    fraction: float | None
    rows_per_s: float
    eta_s: float | None


class ProgressClock:
    """Measures a run from its first row on."""

    def __init__(
        self,
        *,
        rows_total: int | None,
        rows_before: int,
        fraction_before: float | None,
        now_s: Callable[[], float] = monotonic,
    ) -> None:
        self._rows_total = rows_total
        self._rows_before = rows_before
        self._fraction_before = fraction_before or 0.0
        self._now_s = now_s
        self._started_s = now_s()

    def at(self, rows_done: int, fraction_read: float | None) -> Progress:
        """Say where the job is after `rows_done` rows, with that fraction of the bytes read."""
        elapsed_s = self._now_s() - self._started_s
        rows_here = rows_done - self._rows_before
        rows_per_s = rows_here / elapsed_s if elapsed_s > 0 else 0.0
        if self._rows_total is not None:
            fraction = 1.0 if self._rows_total == 0 else min(1.0, rows_done / self._rows_total)
            rows_left = max(0, self._rows_total - rows_done)
            eta_s = rows_left / rows_per_s if rows_per_s > 0 else None
            return Progress(rows_done, self._rows_total, fraction, rows_per_s, eta_s)
        gained = 0.0 if fraction_read is None else fraction_read - self._fraction_before
        eta_s = (
            elapsed_s * (1.0 - fraction_read) / gained if fraction_read is not None and gained > 0 else None
        )
        return Progress(rows_done, None, fraction_read, rows_per_s, eta_s)

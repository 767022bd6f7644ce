"""Let systems take turns against the clock."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from labelwise.errors import InputError

__all__ = ["Timing", "Turns"]

# Threads of the last system may go on spinning for some milliseconds, at the cost of the next one.
_PAUSE_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Timing:
    """The seconds of one system's turns, in order.

    >>> Timing((2.0, 1.0, 4.0)).median_s
    2.0
    """

    seconds: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.seconds:
            raise InputError("a timing needs at least one turn")

    @property
    def median_s(self) -> float:
        """The middle turn."""
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """From the fastest to the slowest turn, as a share of the median."""
        return (max(self.seconds) - min(self.seconds)) / self.median_s

    def times_as_fast_as(self, other: Timing) -> float:
        """Return the median of the rounds' ratios: a machine that slows down between rounds cancels out."""
        pairs = zip(self.seconds, other.seconds, strict=True)
        return statistics.median(theirs / ours for ours, theirs in pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """How systems take turns: each once in a round, another one first in each.

    Attributes:
        rounds: how many at most.
        most_seconds: no round begins after this; the first always runs.
        warm_ups: rounds that are not counted.
        clock: returns seconds.
        pause: waits for some seconds.
    """

    rounds: int = 5
    most_seconds: float = 120.0
    warm_ups: int = 1
    clock: Callable[[], float] = time.perf_counter
    pause: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise InputError(f"rounds must be at least 1, got {self.rounds}")
        if self.most_seconds <= 0:
            raise InputError(f"seconds must be more than 0, got {self.most_seconds:g}")

    def take(
        self,
        runs: Mapping[str, Callable[[], object]],
        *,
        on_round: Callable[[int, int], None] | None = None,
    ) -> dict[str, Timing]:
        """Time every run once in each round.

        Args:
            runs: name -> what one turn does.
            on_round: called with (rounds done, rounds at most).
        """
        for _ in range(self.warm_ups):
            for run in runs.values():
                run()
        order = list(runs)
        seconds: dict[str, list[float]] = {name: [] for name in order}
        began = self.clock()
        for done in range(self.rounds):
            if done and self.clock() - began > self.most_seconds:
                break
            first = done % max(len(order), 1)
            for name in order[first:] + order[:first]:
                self.pause(_PAUSE_S)
                seconds[name].append(self._one_turn(runs[name]))
            if on_round is not None:
                on_round(done + 1, self.rounds)
        return {name: Timing(tuple(taken)) for name, taken in seconds.items()}

    def _one_turn(self, run: Callable[[], object]) -> float:
        began = self.clock()
        run()
        return self.clock() - began

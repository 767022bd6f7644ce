"""When to ask again after a request that brought no answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from labelwise.errors import InputError

__all__ = ["Clock", "Gate", "RetryPolicy"]

_MIN_JITTER: Final = 0.5
_MAX_DOUBLINGS: Final = 30


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and waiting.

    Attributes:
        sleep: waits so many seconds; None waits for real, until the run stops.
    """

    sleep: Callable[[float], object] | None = None
    now_s: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how late to ask again.

    Attributes:
        retries: tries after the first one.
        first_delay_s: doubled from try to try.
        max_delay_s: where the doubling ends.
        max_retry_after_s: a server that asks for a longer wait than this stops the run.
    """

    retries: int = 5
    first_delay_s: float = 1.0
    max_delay_s: float = 60.0
    max_retry_after_s: float = 600.0

    def __post_init__(self) -> None:
        if self.retries < 0:
            raise InputError(f"retries is {self.retries}: give 0 or more")
        if not 0 < self.first_delay_s <= self.max_delay_s:
            raise InputError(
                f"first_delay_s is {self.first_delay_s}: give a number from 0 to {self.max_delay_s}"
            )

    def delay_s(self, try_number: int, *, retry_after_s: float | None, jitter: float) -> float:
        """Return how long to wait after a failed try: never shorter than the server asked for.

        Args:
            try_number: tries that failed before this one; 0 for the first.
            retry_after_s: what the server asked for, or None.
            jitter: a random number from 0 to 1, so that workers do not come back all at once.
        """
        doubled_s = min(self.max_delay_s, self.first_delay_s * 2.0 ** min(try_number, _MAX_DOUBLINGS))
        delay_s = doubled_s * (_MIN_JITTER + (1.0 - _MIN_JITTER) * jitter)
        return delay_s if retry_after_s is None else max(delay_s, retry_after_s + self.first_delay_s * jitter)


class Gate:
    """Keeps all workers back while one was told to wait: the limit is the account's, not the worker's."""

    def __init__(
        self, *, stop: threading.Event, sleep: Callable[[float], object], now_s: Callable[[], float]
    ) -> None:
        self._stop = stop
        self._sleep = sleep
        self._now_s = now_s
        self._lock = threading.Lock()
        self._opens_at_s = now_s()

    def close_for(self, delay_s: float) -> None:
        """Keep everybody back for at least that long from now on."""
        with self._lock:
            self._opens_at_s = max(self._opens_at_s, self._now_s() + delay_s)

    def wait(self) -> None:
        """Return when the gate is open, however often it is closed meanwhile, or when the run stops."""
        while not self._stop.is_set():
            with self._lock:
                left_s = self._opens_at_s - self._now_s()
            if left_s <= 0:
                return
            self._sleep(left_s)

"""How long one text takes."""

from __future__ import annotations

import statistics
import time
from typing import Final

from labelwise.backends.base import Backend
from labelwise.text.sequence import TokenSequence

__all__ = ["SPEED_TOKENS", "ms_per_text"]

SPEED_TOKENS: Final = 128
_RUNS: Final = 15
_BUDGET_S: Final = 3.0


def ms_per_text(backend: Backend, row: TokenSequence) -> float:
    """Return the median time of one row by itself, after two runs to warm up."""
    for _ in range(2):
        backend.run([row])
    times: list[float] = []
    while len(times) < _RUNS and (sum(times) < _BUDGET_S or not times):
        started = time.perf_counter()
        backend.run([row])
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times)

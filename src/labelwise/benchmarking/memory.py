"""The peak memory of this process, by the kernel's count."""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["peak_memory_mb"]

_STATUS = Path("/proc/self/status")


def peak_memory_mb() -> float | None:
    """Return the most memory that this process held, in MB of 2**20 bytes; None where nobody counts."""
    try:
        # getrusage would count what the parent held when this process was forked.
        status = _STATUS.read_text(encoding="ascii")
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))) / 1024
    except (OSError, StopIteration):
        pass
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024

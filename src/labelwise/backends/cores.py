"""How many cores this process may use."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["available_cores"]

_CGROUP_LIMIT = Path("/sys/fs/cgroup/cpu.max")


def available_cores(cgroup_limit: Path = _CGROUP_LIMIT) -> int:
    """Return the number of cores that the affinity mask and the container's limit leave.

    A container with two cores of sixty-four still counts sixty-four processors; a thread for each would make
    it slow.
    """
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows have no affinity call
        cores = os.cpu_count() or 1
    try:
        quota, period = cgroup_limit.read_text(encoding="ascii").split()[:2]
        cores = min(cores, int(quota) // int(period))
    except (
        OSError,
        ValueError,
        ZeroDivisionError,
    ):  # no limit reads "max", and most systems have no such file
        pass
    return max(1, cores)

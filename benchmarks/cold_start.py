"""Measure what a user waits for and pays: import, --help, first answer, peak memory, install size.

Run: python benchmarks/cold_start.py [--runs 7] [--output benchmarks/results/cold_start.json]
Each figure is the median over fresh processes, in wall-clock time; ``_cpu_s`` is user and system time, which
other work on the machine hardly changes. Peak memory is the kernel's figure for the whole process.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from labelwise.benchmarking.machine import machine_facts

FIRST_COMMAND = [
    "classify",
    "My card was charged twice for the same coffee",
    "--labels",
    "billing problem,delivery delay,product praise",
]
RUN_CLI = [sys.executable, "-m", "labelwise"]


@dataclass(frozen=True)
class Cost:
    """What one process took."""

    seconds: float
    cpu_seconds: float
    peak_mb: float


def cost_of(command: list[str]) -> Cost:
    """Run a command once."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{command} failed with status {process.returncode}")
    seconds = time.perf_counter() - began
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def import_seconds() -> float:
    """Return the seconds of ``import labelwise`` inside a fresh interpreter."""
    code = "import time; t = time.perf_counter(); import labelwise; print(time.perf_counter() - t)"
    return float(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    )


def install_megabytes(site_packages: Path) -> float:
    """Return the size of a site-packages folder, pip and setuptools left out."""
    skipped = ("pip", "setuptools")
    return (
        sum(
            file.stat().st_size
            for file in site_packages.rglob("*")
            if file.is_file() and not file.relative_to(site_packages).parts[0].startswith(skipped)
        )
        / 1e6
    )


def main() -> None:
    """Measure and print, and write the JSON file if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--site-packages", type=Path, help="a fresh environment with the core only")
    given = parser.parse_args()
    cost_of([*RUN_CLI, *FIRST_COMMAND])  # fills the disk cache
    first = [cost_of([*RUN_CLI, *FIRST_COMMAND]) for _ in range(given.runs)]
    found: dict[str, object] = {
        "machine": machine_facts(),
        "import_s": statistics.median(import_seconds() for _ in range(given.runs)),
        "help_s": statistics.median(cost_of([*RUN_CLI, "--help"]).seconds for _ in range(given.runs)),
        "first_answer_s": statistics.median(cost.seconds for cost in first),
        "first_answer_cpu_s": statistics.median(cost.cpu_seconds for cost in first),
        "first_answer_peak_mb": statistics.median(cost.peak_mb for cost in first),
    }
    if given.site_packages:
        found["core_install_mb"] = install_megabytes(given.site_packages)
    print(json.dumps(found, indent=2))
    if given.output:
        given.output.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()

"""What a benchmark found, as values, as JSON and as rows of a table."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from labelwise.benchmarking.cold import FirstAnswer
from labelwise.benchmarking.timing import Timing

__all__ = ["BenchmarkResult", "Measurement", "SystemFigures"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One system on one workload.

    Attributes:
        workload: its name.
        system: its name.
        timing: the seconds of each turn over all texts.
        ratio: how many times as fast as the first system, by the median of the rounds.
        num_tokens: that its model reads, without padding; None where they cannot be counted.
        matrix_rate_share: useful floating-point operations per second over the float32 matrix-product rate
            of the same rounds.
        max_score_difference: the largest to the first system's scores.
    """

    workload: str
    system: str
    num_texts: int
    num_labels: int
    timing: Timing
    ratio: float
    num_tokens: int | None = None
    matrix_rate_share: float | None = None
    max_score_difference: float | None = None

    @property
    def texts_per_s(self) -> float:
        """By the median turn."""
        return self.num_texts / self.timing.median_s

    @property
    def pairs_per_s(self) -> float:
        """By the median turn; a pair is a label of a text, also where a model reads all labels at once."""
        return self.texts_per_s * self.num_labels

    @property
    def tokens_per_s(self) -> float | None:
        """By the median turn, padding left out."""
        return None if self.num_tokens is None else self.num_tokens / self.timing.median_s

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "workload": self.workload,
            "system": self.system,
            "texts": self.num_texts,
            "labels": self.num_labels,
            "tokens": self.num_tokens,
            "rounds": len(self.timing.seconds),
            "median_s": self.timing.median_s,
            "min_s": min(self.timing.seconds),
            "max_s": max(self.timing.seconds),
            "spread": self.timing.spread,
            "pairs_per_s": self.pairs_per_s,
            "texts_per_s": self.texts_per_s,
            "tokens_per_s": self.tokens_per_s,
            "ratio": self.ratio,
            "matrix_rate_share": self.matrix_rate_share,
            "max_score_difference": self.max_score_difference,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemFigures:
    """What is measured of a system once, whatever the workload.

    Attributes:
        peak_memory_mb: of its process over all workloads, where it had one to itself.
        first_answers: of fresh processes.
    """

    system: str
    peak_memory_mb: float | None = None
    first_answers: Sequence[FirstAnswer] = ()

    @property
    def first_answer(self) -> Timing | None:
        """The seconds from process start to the first result."""
        return Timing(tuple(one.seconds for one in self.first_answers)) if self.first_answers else None

    @property
    def first_answer_peak_mb(self) -> float | None:
        """The median of the fresh processes' peaks."""
        peaks = [one.peak_memory_mb for one in self.first_answers if one.peak_memory_mb is not None]
        return statistics.median(peaks) if peaks else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        first = self.first_answer
        return {
            "system": self.system,
            "peak_memory_mb": self.peak_memory_mb,
            "first_answer_s": first.median_s if first else None,
            "first_answer_spread": first.spread if first else None,
            "first_answer_peak_mb": self.first_answer_peak_mb,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkResult:
    """Everything that one run found.

    Attributes:
        machine: facts of `labelwise.benchmarking.machine.machine_facts`.
        settings: how it was asked.
        measurements: workload by workload, systems in the order given.
        systems: figures of each that ran.
        skipped: system -> why it could not run.
        matrix_gflops: workload -> the measured float32 matrix-product rate, in 10**9 operations per second.
    """

    machine: Mapping[str, Any]
    settings: Mapping[str, Any]
    measurements: Sequence[Measurement]
    systems: Sequence[SystemFigures]
    skipped: Mapping[str, str] = field(default_factory=dict)
    matrix_gflops: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as ``--json`` prints them."""
        return {
            "machine": dict(self.machine),
            "settings": dict(self.settings),
            "matrix_gflops": dict(self.matrix_gflops),
            "rows": [one.to_dict() for one in self.measurements],
            "systems": [one.to_dict() for one in self.systems],
            "skipped": dict(self.skipped),
        }

    def table(self) -> list[dict[str, Any]]:
        """Return a row per measurement for people."""
        return [
            {
                "texts": one.workload,
                "system": one.system,
                "pairs_per_s": one.pairs_per_s,
                "texts_per_s": one.texts_per_s,
                "tokens_per_s": one.tokens_per_s,
                "ratio": one.ratio,
                "spread": one.timing.spread,
                "of matrix rate": one.matrix_rate_share,
                "score difference": _tiny(one.max_score_difference),
            }
            for one in self.measurements
        ]

    def system_table(self) -> list[dict[str, Any]]:
        """Return a row per system with memory and start, empty where neither was measured."""
        rows = [one.to_dict() for one in self.systems]
        is_measured = any(
            value is not None for row in rows for name, value in row.items() if name != "system"
        )
        return rows if is_measured else []


def _tiny(value: float | None) -> str | None:
    return None if value is None else f"{value:.1e}"

"""The whole benchmark: open the systems, let them take turns on each workload, sum up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelwise.benchmarking.cold import first_answers_in_turn
from labelwise.benchmarking.counting import RowCounters, WorkloadSize
from labelwise.benchmarking.isolated import IsolatedSystem
from labelwise.benchmarking.machine import machine_facts
from labelwise.benchmarking.matrix_rate import MatrixProducts
from labelwise.benchmarking.result import BenchmarkResult, Measurement, SystemFigures
from labelwise.benchmarking.specs import AskSettings, SystemSpec, public_model_name
from labelwise.benchmarking.systems import System, line_of, open_system
from labelwise.benchmarking.timing import Timing, Turns
from labelwise.benchmarking.workload import Workload
from labelwise.errors import BackendError, InputError, LabelwiseError

__all__ = ["Benchmark", "measure_workload", "run_benchmark"]

# What the matrix products are called among the systems: no system's name begins so.
_MATRIX = "=matrix products by "
OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """What is asked of a run.

    Attributes:
        specs: the systems; ratios are to the first that runs.
        settings: what they share.
        turns: how they take turns.
        is_isolated: each system in a process of its own, whose peak memory is measured.
        num_cold_starts: fresh processes of each system that answer once; 0 leaves them out.
    """

    specs: Sequence[SystemSpec]
    settings: AskSettings
    turns: Turns = field(default_factory=Turns)
    is_isolated: bool = False
    num_cold_starts: int = 0

    def __post_init__(self) -> None:
        if not self.specs:
            raise InputError("there is no system to measure: name one")


def run_benchmark(
    benchmark: Benchmark, workloads: Sequence[Workload], *, on_progress: OnProgress | None = None
) -> BenchmarkResult:
    """Measure the systems side by side.

    A system that cannot run here is skipped and named in the result.

    Args:
        benchmark: what is asked.
        workloads: what the systems are given, one after the other.
        on_progress: called with (what is done, rounds done, rounds at most).

    Raises:
        InputError: there is nothing to measure.
        BackendError: no system can run here.
    """
    if not workloads:
        raise InputError("there are no texts to measure on")
    counters = RowCounters(benchmark.settings)
    asked = replace(benchmark, settings=counters.with_own_template())
    skipped: dict[str, str] = {}
    measurements: list[Measurement] = []
    rates: dict[str, float] = {}
    first_answers = first_answers_in_turn(
        asked.specs,
        asked.settings,
        workloads[0],
        num_starts=asked.num_cold_starts,
        skipped=skipped,
        on_start=None if on_progress is None else partial(on_progress, "cold starts"),
    )
    with _opened(asked, skipped) as systems:
        for workload in workloads:
            found = _measure(asked, workload, systems, counters, skipped, on_progress)
            measurements.extend(found.measurements)
            if found.matrix_rate is not None:
                rates[workload.name] = found.matrix_rate / 1e9
        peaks = {name: _peak_memory_mb(system) for name, system in systems.items()}
    return BenchmarkResult(
        machine=machine_facts(),
        settings=_told(asked),
        measurements=measurements,
        systems=[
            SystemFigures(system=name, peak_memory_mb=peak, first_answers=first_answers.get(name, ()))
            for name, peak in peaks.items()
        ],
        skipped=skipped,
        matrix_gflops=rates,
    )


@dataclass(frozen=True, slots=True)
class _Found:
    measurements: Sequence[Measurement]
    matrix_rate: float | None


def measure_workload(
    workload: Workload,
    systems: Mapping[str, System],
    turns: Turns,
    *,
    sizes: Mapping[str, WorkloadSize] | None = None,
    scores: Mapping[str, NDArray[np.float64]] | None = None,
    products: MatrixProducts | None = None,
    on_round: Callable[[int, int], None] | None = None,
) -> tuple[list[Measurement], float | None]:
    """Let systems take turns on one workload.

    Args:
        workload: the texts and labels.
        systems: by name; ratios are to the first.
        turns: how they take turns.
        sizes: of the workload for each system, where it is known.
        scores: of each system, to compare with the first one's.
        products: take turns with the systems; the fastest are the yardstick.
        on_round: called with (rounds done, rounds at most).

    Returns:
        A measurement per system, and the matrix-product rate in operations per second.
    """
    runs: dict[str, Callable[[], object]] = {
        name: _turn_of(system, workload) for name, system in systems.items()
    }
    if products is not None:
        runs |= {f"{_MATRIX}{library}": run for library, run in products.runs.items()}
    timings = turns.take(runs, on_round=on_round)
    rate = None
    if products is not None:
        rate = products.rate({library: timings[f"{_MATRIX}{library}"] for library in products.runs})
    first = next(iter(systems))
    return [
        _measurement(
            workload,
            name,
            timings[name],
            timings[first],
            size=(sizes or {}).get(name),
            matrix_rate=rate,
            difference=_difference(scores or {}, name, first),
        )
        for name in systems
    ], rate


def _turn_of(system: System, workload: Workload) -> Callable[[], object]:
    return lambda: system.score(workload.texts, workload.labels)


def _measurement(
    workload: Workload,
    name: str,
    timing: Timing,
    first: Timing,
    *,
    size: WorkloadSize | None,
    matrix_rate: float | None,
    difference: float | None,
) -> Measurement:
    share = None
    if size is not None and size.num_operations is not None and matrix_rate:
        share = size.num_operations / timing.median_s / matrix_rate
    return Measurement(
        workload=workload.name,
        system=name,
        num_texts=len(workload.texts),
        num_labels=len(workload.labels),
        timing=timing,
        ratio=timing.times_as_fast_as(first),
        num_tokens=None if size is None else size.num_tokens,
        matrix_rate_share=share,
        max_score_difference=difference,
    )


def _difference(scores: Mapping[str, NDArray[np.float64]], name: str, first: str) -> float | None:
    if name == first or name not in scores or first not in scores:
        return None
    return float(np.abs(scores[name] - scores[first]).max())


def _measure(
    benchmark: Benchmark,
    workload: Workload,
    systems: dict[str, System],
    counters: RowCounters,
    skipped: dict[str, str],
    on_progress: OnProgress | None,
) -> _Found:
    """Try each system once, which also fills its caches, and time those that answer."""
    scores: dict[str, NDArray[np.float64]] = {}
    for name, system in list(systems.items()):
        try:
            scores[name] = system.score(workload.texts, workload.labels)
        except Exception as error:  # the libraries behind the systems share no base but this
            del systems[name]
            skipped[name] = line_of(error)
    _require_some(systems, skipped)
    by_name = {spec.name: spec for spec in benchmark.specs}
    sizes = {name: counters.size(by_name[name], workload) for name in systems}
    measurements, rate = measure_workload(
        workload,
        systems,
        benchmark.turns,
        sizes={name: size for name, size in sizes.items() if size is not None},
        # Another checkpoint has other scores: only those of the shared one are compared.
        scores={name: found for name, found in scores.items() if by_name[name].model is None},
        products=counters.products(workload),
        on_round=None if on_progress is None else partial(on_progress, workload.name),
    )
    return _Found(measurements, rate)


@contextmanager
def _opened(benchmark: Benchmark, skipped: dict[str, str]) -> Iterator[dict[str, System]]:
    """Open all systems that can run here, and close their processes in the end."""
    with ExitStack() as stack:
        systems: dict[str, System] = {}
        for spec in benchmark.specs:
            try:
                systems[spec.name] = _open(spec, benchmark, stack)
            except LabelwiseError as error:
                skipped[spec.name] = line_of(error)
        _require_some(systems, skipped)
        yield systems


def _open(spec: SystemSpec, benchmark: Benchmark, stack: ExitStack) -> System:
    if not benchmark.is_isolated:
        return open_system(spec, benchmark.settings)
    system = stack.enter_context(IsolatedSystem(spec, benchmark.settings))
    system.wait_until_open()
    return system


def _peak_memory_mb(system: System) -> float | None:
    return system.peak_memory_mb if isinstance(system, IsolatedSystem) else None


def _require_some(systems: Mapping[str, System], skipped: Mapping[str, str]) -> None:
    if not systems:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in skipped.items())
        raise BackendError(f"no system can run here: {reasons}")


def _told(benchmark: Benchmark) -> dict[str, Any]:
    """Return the settings for the result."""
    shared = asdict(benchmark.settings)
    return shared | {
        "model": public_model_name(benchmark.settings.model),
        "systems": [spec.name for spec in benchmark.specs],
        "rounds": benchmark.turns.rounds,
        "warm_ups": benchmark.turns.warm_ups,
        "most_seconds": benchmark.turns.most_seconds,
        "is_isolated": benchmark.is_isolated,
    }

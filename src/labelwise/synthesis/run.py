"""Ask for all bundles of a plan with several workers, and keep what comes."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from labelwise.errors import InputError
from labelwise.synthesis.asking import Asker, BundleResult, Outcome
from labelwise.synthesis.endpoint import ChatEndpoint, EndpointError
from labelwise.synthesis.output import SynthesisOutput
from labelwise.synthesis.plan import SynthesisPlan
from labelwise.synthesis.report import SynthesisProgress, SynthesisReport, Tally
from labelwise.synthesis.retries import Clock, RetryPolicy

__all__ = ["Limits", "synthesize"]

_MAX_WORKERS: Final = 256


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a run may ask, and when it gives up.

    Attributes:
        workers: requests at a time.
        max_requests: HTTP requests of this run, repeated ones included; None for no limit.
        answer_tries: answers that are read before a bundle is given up as invalid.
        max_failures_in_a_row: bundles in a row without rows, after which the run stops.
    """

    workers: int = 4
    max_requests: int | None = None
    answer_tries: int = 3
    max_failures_in_a_row: int = 10

    def __post_init__(self) -> None:
        if not 1 <= self.workers <= _MAX_WORKERS:
            raise InputError(f"workers is {self.workers}: give a number from 1 to {_MAX_WORKERS}")
        for name in ("answer_tries", "max_failures_in_a_row", "max_requests"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"{name} is {value}: give at least 1")


def synthesize(
    path: Path,
    *,
    endpoint: ChatEndpoint,
    plan: SynthesisPlan,
    bundles: int,
    limits: Limits | None = None,
    policy: RetryPolicy | None = None,
    resume: bool = False,
    overwrite: bool = False,
    on_progress: Callable[[SynthesisProgress], None] | None = None,
    clock: Clock | None = None,
) -> SynthesisReport:
    """Write rows of ``text``, ``labels``, ``not_labels`` and origin for the first bundles of a plan.

    Killed at any moment, a run loses what was being asked for and nothing else: resume it. A finished output
    grows when it is resumed with more bundles. Model, endpoint and limits may change in between.

    Args:
        path: a ``.jsonl`` file; its state lies beside it.
        endpoint: whom to ask.
        plan: what to ask for.
        bundles: how many, those of earlier runs included.
        limits: how much to ask, and when to give up.
        policy: how to repeat requests that brought no answer.
        resume: go on where an earlier run stopped; starts anew where there is none.
        overwrite: start anew whatever is there.
        on_progress: called in the calling thread after every bundle.
        clock: time and waiting; tests bring their own.

    Raises:
        InputError: a setting or the output cannot be used; nothing was asked.
        DataError: the output was damaged, or the disk is full.
        EndpointError: the endpoint will not answer, or gave nothing usable too often; what came is kept.
    """
    if bundles < 1:
        raise InputError(f"bundles is {bundles}: give at least 1")
    limits, clock = limits or Limits(), clock or Clock()
    asker = Asker(
        endpoint,
        policy=policy or RetryPolicy(),
        answer_tries=limits.answer_tries,
        max_requests=limits.max_requests,
        clock=clock,
    )
    with closing(
        SynthesisOutput(path, plan=plan.fingerprint(), resume=resume, overwrite=overwrite)
    ) as output:
        run = _Run(output, limits, bundles, on_progress, clock.now_s)
        return run.complete(asker, plan)


@dataclass(slots=True)
class _Run:
    """Takes in results one by one, in the calling thread."""

    output: SynthesisOutput
    limits: Limits
    bundles_total: int
    on_progress: Callable[[SynthesisProgress], None] | None
    now_s: Callable[[], float]
    started_s: float = field(init=False)
    outcomes: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    bundles_done: int = 0
    rows_written: int = 0
    duplicates_merged: int = 0
    labels_dropped: int = 0
    failures_in_a_row: int = 0

    def __post_init__(self) -> None:
        self.started_s = self.now_s()

    def complete(self, asker: Asker, plan: SynthesisPlan) -> SynthesisReport:
        todo = [number for number in range(self.bundles_total) if not self.output.has(number)]
        self.bundles_done = self.bundles_total - len(todo)
        try:
            with closing(_results(asker, plan, todo, workers=self.limits.workers)) as results:
                for result in results:
                    self.take(result)
        except (EndpointError, KeyboardInterrupt):
            self.output.apply_merges()
            raise
        self.output.apply_merges()
        return self.report(asker.tally)

    def take(self, result: BundleResult) -> None:
        self.outcomes[result.outcome] += 1
        if result.outcome.is_final:
            self.bundles_done += 1
            added = self.output.add(result.number, result.outcome.value, result.rows)
            self.rows_written += added.num_written
            self.duplicates_merged += added.num_merged
            self.labels_dropped += result.num_labels_dropped
        if result.outcome is Outcome.STOPPED:
            return
        self._report_progress()
        self.failures_in_a_row = 0 if result.outcome is Outcome.WRITTEN else self.failures_in_a_row + 1
        if self.failures_in_a_row >= self.limits.max_failures_in_a_row:
            raise EndpointError(
                f"{self.failures_in_a_row} bundles in a row gave no rows (the last: {result.detail}); "
                f"{self.output.num_rows} rows are kept in {self.output.path}: check the model, then resume"
            )

    def report(self, tally: Tally) -> SynthesisReport:
        return SynthesisReport(
            bundles_done=self.bundles_done,
            bundles_total=self.bundles_total,
            rows_total=self.output.num_rows,
            rows_written=self.rows_written,
            requests=tally.requests,
            failed_requests=dict(tally.failed_requests),
            invalid_answers=dict(tally.invalid_answers),
            refusals=self.outcomes[Outcome.REFUSED],
            bundles_given_up=self.outcomes[Outcome.INVALID],
            bundles_unanswered=self.outcomes[Outcome.UNANSWERED],
            duplicates_merged=self.duplicates_merged,
            labels_dropped=self.labels_dropped,
            prompt_tokens=tally.prompt_tokens,
            completion_tokens=tally.completion_tokens,
            has_spent_requests=tally.has_spent_requests,
        )

    def _report_progress(self) -> None:
        if self.on_progress is None:
            return
        done_here = sum(self.outcomes.values())
        elapsed_s = self.now_s() - self.started_s
        rate = done_here / elapsed_s if elapsed_s > 0 else 0.0
        eta_s = (self.bundles_total - self.bundles_done) / rate if rate > 0 else None
        self.on_progress(
            SynthesisProgress(self.bundles_done, self.bundles_total, self.output.num_rows, rate, eta_s)
        )


def _results(
    asker: Asker, plan: SynthesisPlan, todo: list[int], *, workers: int
) -> Generator[BundleResult, None, None]:
    """Yield one result for each number, as they come; closing it stops the workers and does not wait."""
    numbers: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in todo:
        numbers.put(number)
    results: queue.SimpleQueue[BundleResult | BaseException] = queue.SimpleQueue()
    # A place is free again when the caller is done with the result, so a kill costs no more than the places.
    places = threading.Semaphore(workers)

    def work() -> None:
        try:
            while places.acquire() and not asker.stop.is_set():
                results.put(asker.ask(plan.bundle(numbers.get_nowait())))
        except queue.Empty:
            places.release()
        except BaseException as error:
            results.put(error)

    # Daemons: Ctrl-C must not wait for requests that may take minutes.
    for _ in range(min(workers, len(todo))):
        threading.Thread(target=work, daemon=True).start()
    try:
        for _ in todo:
            result = results.get()
            if isinstance(result, BaseException):
                raise result
            yield result
            places.release()
    finally:
        asker.stop.set()
        places.release(workers)

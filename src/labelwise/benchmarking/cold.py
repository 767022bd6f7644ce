"""How long a user waits for the first answer of a fresh process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from labelwise.benchmarking.isolated import IsolatedSystem
from labelwise.benchmarking.specs import AskSettings, SystemSpec
from labelwise.benchmarking.systems import line_of
from labelwise.benchmarking.workload import Workload
from labelwise.errors import LabelwiseError

__all__ = ["FirstAnswer", "first_answer", "first_answers_in_turn"]


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """From the start of a process to its first result, and the most memory that it held by then."""

    seconds: float
    peak_memory_mb: float | None


def first_answer(spec: SystemSpec, settings: AskSettings, text: str, labels: Sequence[str]) -> FirstAnswer:
    """Start a process, let it classify one text, and end it.

    Raises:
        BackendError: the system cannot run here.
    """
    began = time.perf_counter()
    with IsolatedSystem(spec, settings) as system:
        system.wait_until_open()
        system.score([text], labels)
        return FirstAnswer(time.perf_counter() - began, system.peak_memory_mb)


def first_answers_in_turn(
    specs: Sequence[SystemSpec],
    settings: AskSettings,
    workload: Workload,
    *,
    num_starts: int,
    skipped: dict[str, str],
    on_start: Callable[[int, int], None] | None = None,
) -> dict[str, list[FirstAnswer]]:
    """Start every system afresh, one after the other, so many times.

    Args:
        specs: the systems.
        settings: what they share.
        workload: its first text is asked, with all labels.
        num_starts: counted starts of each; one more comes first and fills the disk cache. 0 starts none.
        skipped: takes in which system cannot run here, and why.
        on_start: called with (starts done, starts in all) after each round.
    """
    found: dict[str, list[FirstAnswer]] = {spec.name: [] for spec in specs}
    for number in range(num_starts + 1 if num_starts else 0):
        for spec in (one for one in specs if one.name not in skipped):
            try:
                answer = first_answer(spec, settings, workload.texts[0], workload.labels)
            except LabelwiseError as error:
                skipped[spec.name] = line_of(error)
                continue
            if number:
                found[spec.name].append(answer)
        if on_start is not None:
            on_start(number, num_starts)
    return found

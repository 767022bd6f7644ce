"""What a run did, counted while it goes on and reported at its end."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from labelwise.synthesis.endpoint import Completion

__all__ = ["SynthesisProgress", "SynthesisReport", "Tally"]


@dataclass(frozen=True, slots=True)
class SynthesisProgress:
    """How far a run is.

    Attributes:
        bundles_done: bundles that are behind us, refused and invalid ones and those of earlier runs included.
        bundles_total: bundles that were asked for.
        rows_written: rows of the output, those of earlier runs included.
        bundles_per_s: the rate of this run.
        eta_s: seconds left at that rate; None before the first bundle of this run.
    """

    bundles_done: int
    bundles_total: int
    rows_written: int
    bundles_per_s: float
    eta_s: float | None


@dataclass(frozen=True, slots=True)
class SynthesisReport:
    """What a run did; counts are of this run unless they say otherwise.

    Attributes:
        bundles_done: bundles that will not be asked for again, those of earlier runs included.
        bundles_total: bundles that were asked for.
        rows_total: rows of the output, those of earlier runs included.
        rows_written: rows that this run added.
        requests: HTTP requests, repeated ones included.
        failed_requests: requests without an answer, by what happened.
        invalid_answers: answers that broke a rule, by the rule.
        refusals: bundles that the model or a filter declined.
        bundles_given_up: bundles without one valid answer after all tries.
        bundles_unanswered: bundles for which no answer came at all; a later run asks again.
        duplicates_merged: texts that were there already; their labels were joined.
        labels_dropped: labels that were not true of one text and false of another.
        prompt_tokens: tokens read by the model, where the endpoint says so.
        completion_tokens: tokens written by the model, where the endpoint says so.
        has_spent_requests: whether the run ended because the limit of requests was reached.
    """

    bundles_done: int
    bundles_total: int
    rows_total: int
    rows_written: int
    requests: int
    failed_requests: Mapping[str, int]
    invalid_answers: Mapping[str, int]
    refusals: int
    bundles_given_up: int
    bundles_unanswered: int
    duplicates_merged: int
    labels_dropped: int
    prompt_tokens: int | None
    completion_tokens: int | None
    has_spent_requests: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON keeps it."""
        return asdict(self)


class Tally:
    """Counts from all workers, and the limit of requests that they share."""

    def __init__(self, *, max_requests: int | None) -> None:
        self._max_requests = max_requests
        self._lock = threading.Lock()
        self.requests = 0
        self.has_spent_requests = False
        self.failed_requests: Counter[str] = Counter()
        self.invalid_answers: Counter[str] = Counter()
        self.prompt_tokens: int | None = None
        self.completion_tokens: int | None = None

    def takes_request(self) -> bool:
        """Count a request, or say that none is left."""
        with self._lock:
            if self._max_requests is not None and self.requests >= self._max_requests:
                self.has_spent_requests = True
                return False
            self.requests += 1
            return True

    def add_failure(self, kind: str) -> None:
        """Count a request without an answer."""
        with self._lock:
            self.failed_requests[kind] += 1

    def add_invalid(self, reason: str) -> None:
        """Count an answer that broke a rule."""
        with self._lock:
            self.invalid_answers[reason] += 1

    def add_usage(self, completion: Completion) -> None:
        """Add the tokens of an answer, where the endpoint told them."""
        with self._lock:
            self.prompt_tokens = _sum(self.prompt_tokens, completion.prompt_tokens)
            self.completion_tokens = _sum(self.completion_tokens, completion.completion_tokens)


def _sum(total: int | None, more: int | None) -> int | None:
    return total if more is None else (total or 0) + more

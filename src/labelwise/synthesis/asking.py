"""Ask for one bundle until it is valid, declined, or not worth another try."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from labelwise.synthesis.bundle import Bundle, parse_bundle
from labelwise.synthesis.endpoint import ChatEndpoint, Completion, EndpointError, NoAnswerError
from labelwise.synthesis.invalid import InvalidAnswerError, RefusedError
from labelwise.synthesis.plan import BundleRequest
from labelwise.synthesis.prompts import Message, bundle_messages
from labelwise.synthesis.report import Tally
from labelwise.synthesis.retries import Clock, Gate, RetryPolicy
from labelwise.synthesis.rows import SyntheticRow

__all__ = ["Asker", "BundleResult", "Outcome"]


class Outcome(str, Enum):
    """How asking for a bundle ended."""

    WRITTEN = "written"
    REFUSED = "refused"
    INVALID = "invalid"
    UNANSWERED = "unanswered"
    STOPPED = "stopped"

    @property
    def is_final(self) -> bool:
        """Whether a later run need not ask for the bundle again."""
        return self in {Outcome.WRITTEN, Outcome.REFUSED, Outcome.INVALID}


@dataclass(frozen=True, slots=True)
class BundleResult:
    """The end of one bundle: its rows, or why there are none."""

    number: int
    outcome: Outcome
    rows: tuple[SyntheticRow, ...] = ()
    num_labels_dropped: int = 0
    detail: str = ""


class _StopError(Exception):
    """The run stops, or its requests are spent."""


class Asker:
    """Asks one endpoint from many threads at once, and counts.

    Args:
        endpoint: whom to ask.
        policy: how to repeat requests that brought no answer.
        answer_tries: answers that are read before a bundle is given up as invalid.
        max_requests: after so many, repeated ones included, nothing is asked any more; None for no limit.
        clock: time and waiting.

    Attributes:
        tally: what was counted.
        stop: set it to end early.
    """

    def __init__(
        self,
        endpoint: ChatEndpoint,
        *,
        policy: RetryPolicy,
        answer_tries: int,
        max_requests: int | None,
        clock: Clock,
    ) -> None:
        self.tally = Tally(max_requests=max_requests)
        self.stop = threading.Event()
        self._endpoint = endpoint
        self._policy = policy
        self._answer_tries = answer_tries
        self._sleep = clock.sleep or self.stop.wait
        self._gate = Gate(stop=self.stop, sleep=self._sleep, now_s=clock.now_s)
        self._jitter = random.Random()

    def ask(self, request: BundleRequest) -> BundleResult:
        """Ask for a bundle.

        Raises:
            EndpointError: the endpoint will not answer anything at all.
        """
        complaint: str | None = None
        try:
            for _ in range(self._answer_tries):
                try:
                    completion = self._complete(bundle_messages(request, complaint=complaint))
                    return _written(self._read(completion, request), request, self._endpoint.model)
                except InvalidAnswerError as error:
                    self.tally.add_invalid(error.reason)
                    complaint = error.detail
        except RefusedError:
            return BundleResult(request.number, Outcome.REFUSED, detail="the model declined")
        except NoAnswerError as error:
            return BundleResult(request.number, Outcome.UNANSWERED, detail=str(error))
        except _StopError:
            return BundleResult(request.number, Outcome.STOPPED)
        return BundleResult(request.number, Outcome.INVALID, detail=f"invalid answer: {complaint}")

    def _read(self, completion: Completion, request: BundleRequest) -> Bundle:
        self.tally.add_usage(completion)
        if completion.is_refusal:
            raise RefusedError
        if completion.was_cut_off:
            raise InvalidAnswerError("cut off", "it ran into the token limit before its end")
        return parse_bundle(completion.text, request)

    def _complete(self, messages: Sequence[Message]) -> Completion:
        for try_number in range(self._policy.retries + 1):
            self._gate.wait()
            if self.stop.is_set() or not self.tally.takes_request():
                raise _StopError
            try:
                return self._endpoint.complete(messages)
            except NoAnswerError as error:
                self.tally.add_failure(error.kind)
                if not error.may_pass or try_number == self._policy.retries:
                    raise
                self._wait(error, try_number)
        raise AssertionError("the last try either returns or raises")

    def _wait(self, error: NoAnswerError, try_number: int) -> None:
        asked_s = error.retry_after_s
        delay_s = self._policy.delay_s(try_number, retry_after_s=asked_s, jitter=self._jitter.random())
        if asked_s is None:
            self._sleep(delay_s)
        elif asked_s > self._policy.max_retry_after_s:
            raise EndpointError(
                f"the endpoint asks to wait {asked_s:.0f} s ({error.kind}): resume after that"
            )
        else:
            self._gate.close_for(delay_s)


def _written(bundle: Bundle, request: BundleRequest, model: str) -> BundleResult:
    rows = tuple(
        SyntheticRow(
            text=entry.text,
            labels=entry.labels,
            not_labels=entry.not_labels,
            genre=request.genre,
            length=request.length.name,
            reading_level=request.reading_level,
            bundle=request.number,
            model=model,
        )
        for entry in bundle.texts
    )
    return BundleResult(request.number, Outcome.WRITTEN, rows, bundle.num_labels_dropped)

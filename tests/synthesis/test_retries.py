from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelwise.errors import InputError
from labelwise.synthesis.retries import Gate, RetryPolicy

TRIES = st.integers(0, 5000)
JITTERS = st.floats(0, 1)


@given(TRIES, JITTERS)
def test_a_delay_stays_between_half_of_the_doubled_one_and_the_limit(try_number, jitter):
    policy = RetryPolicy(first_delay_s=1.0, max_delay_s=60.0)
    doubled_s = 60.0 if try_number > 5 else 2.0**try_number
    delay_s = policy.delay_s(try_number, retry_after_s=None, jitter=jitter)
    assert doubled_s / 2 <= delay_s <= doubled_s


@given(TRIES, JITTERS, st.floats(0, 10_000))
def test_nobody_comes_back_before_the_server_said(try_number, jitter, retry_after_s):
    assert RetryPolicy().delay_s(try_number, retry_after_s=retry_after_s, jitter=jitter) >= retry_after_s


@pytest.mark.parametrize("settings", [{"retries": -1}, {"first_delay_s": 0.0}, {"first_delay_s": 90.0}])
def test_a_policy_that_cannot_work_is_refused(settings):
    with pytest.raises(InputError, match=next(iter(settings))):
        RetryPolicy(**settings)


def test_a_closed_gate_keeps_everybody_back_for_the_longest_time_that_was_asked(fake_clock):
    gate = Gate(stop=threading.Event(), sleep=fake_clock.clock.sleep, now_s=fake_clock.clock.now_s)
    gate.wait()
    gate.close_for(30)
    gate.close_for(5)
    gate.wait()
    assert fake_clock.sleeps_s == [30]


def test_a_stopped_run_does_not_wait_at_the_gate():
    stop = threading.Event()
    gate = Gate(stop=stop, sleep=stop.wait, now_s=time.monotonic)
    gate.close_for(60)
    threading.Timer(0.05, stop.set).start()
    started_s = time.monotonic()
    gate.wait()
    assert time.monotonic() - started_s < 5

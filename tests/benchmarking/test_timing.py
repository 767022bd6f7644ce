"""Turns are interleaved, and their medians, spreads and ratios are right."""

import pytest

from labelwise.benchmarking.timing import Timing, Turns
from labelwise.errors import InputError


def turns(clock, **settings):
    return Turns(clock=clock, pause=lambda seconds: None, **settings)


def recorded(clock, told, durations):
    def run_for(name, seconds):
        def run():
            told.append(name)
            clock.now += seconds

        return run

    return {name: run_for(name, seconds) for name, seconds in durations.items()}


def test_each_round_has_every_system_once_and_begins_with_another(clock):
    told = []
    turns(clock, rounds=3, warm_ups=1).take(recorded(clock, told, {"a": 1.0, "b": 2.0, "c": 3.0}))
    assert "".join(told) == "abc" + "abc" + "bca" + "cab"


def test_warm_ups_are_not_counted(clock):
    told = []
    timings = turns(clock, rounds=2, warm_ups=2).take(recorded(clock, told, {"a": 1.5}))
    assert len(told) == 4
    assert timings["a"].seconds == (1.5, 1.5)


def test_no_round_begins_after_the_time_is_up(clock):
    timings = turns(clock, rounds=50, most_seconds=5.0).take(recorded(clock, [], {"a": 2.0}))
    assert len(timings["a"].seconds) == 3


def test_the_first_round_always_runs(clock):
    timings = turns(clock, rounds=50, most_seconds=0.1).take(recorded(clock, [], {"a": 2.0, "b": 1.0}))
    assert [len(timing.seconds) for timing in timings.values()] == [1, 1]


def test_the_pause_between_turns_is_outside_the_timing(clock):
    def pause(seconds):
        clock.now += 100.0

    patient = Turns(clock=clock, pause=pause, rounds=2, most_seconds=1e6)
    timings = patient.take(recorded(clock, [], {"a": 1.0, "b": 2.0}))
    assert timings["b"].seconds == (2.0, 2.0)


def test_rounds_are_reported(clock):
    heard = []
    turns(clock, rounds=2).take(
        recorded(clock, [], {"a": 1.0}), on_round=lambda done, most: heard.append((done, most))
    )
    assert heard == [(1, 2), (2, 2)]


def test_the_median_and_the_spread_of_turns():
    timing = Timing((2.0, 1.0, 4.0, 2.0, 3.0))
    assert timing.median_s == 2.0
    assert timing.spread == pytest.approx(1.5)


def test_a_ratio_is_taken_round_by_round():
    # The machine is three times slower in the last two rounds: medians alone would say 1.
    slow, quick = Timing((4.0, 4.0, 12.0, 12.0)), Timing((2.0, 2.0, 6.0, 6.0))
    assert quick.times_as_fast_as(slow) == 2.0
    drifting = Timing((4.0, 12.0, 12.0)).times_as_fast_as(Timing((4.0, 12.0, 12.0)))
    assert drifting == 1.0


@pytest.mark.parametrize("wrong", [{"rounds": 0}, {"most_seconds": 0.0}])
def test_senseless_turns_are_refused(wrong):
    with pytest.raises(InputError, match="must be"):
        Turns(**wrong)


def test_a_timing_without_turns_is_refused():
    with pytest.raises(InputError, match="at least one turn"):
        Timing(())

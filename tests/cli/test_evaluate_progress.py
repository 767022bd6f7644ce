"""The progress of a long measurement: rate and time left, now and then."""

import io

from labelwise.cli.evaluate_progress import ProgressLine


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


def test_a_log_gets_a_line_twice_a_minute():
    stream, clock = io.StringIO(), Clock()
    line = ProgressLine("imdb", stream=stream, now_s=clock)
    for second in range(1, 66):
        clock.now_s = 100.0 + second
        line(10 * second, 9600)
    assert stream.getvalue().splitlines() == [
        "labelwise: imdb: 300 of 9,600 pairs, 10.0 pairs/s, 15:30 left",
        "labelwise: imdb: 600 of 9,600 pairs, 10.0 pairs/s, 15:00 left",
    ]


def test_a_terminal_gets_one_line_that_goes_away():
    stream, clock = Terminal(), Clock()
    line = ProgressLine("dev", unit="windows", stream=stream, now_s=clock)
    clock.now_s += 1
    line(1, 3601)
    assert stream.getvalue() == "\rlabelwise: dev: 1 of 3,601 windows, 1.0 windows/s, 1:00:00 left"
    line.clear()
    assert stream.getvalue().endswith("\r" + " " * 63 + "\r")
    line.clear()
    assert stream.getvalue().count("\r") == 3


def test_a_short_measurement_says_nothing():
    stream = io.StringIO()
    line = ProgressLine("tiny", stream=stream)
    line(1, 1)
    line.clear()
    assert stream.getvalue() == ""

from __future__ import annotations

from labelwise.files.progress import Progress, ProgressClock


def clock_at(times, **options):
    values = iter(times)
    return ProgressClock(now_s=lambda: next(values), **options)


def test_time_left_follows_the_rows_where_the_total_is_known():
    clock = clock_at([0.0, 2.0], rows_total=100, rows_before=0, fraction_before=None)
    assert clock.at(20, 0.9) == Progress(20, 100, 0.2, 10.0, 8.0)


def test_resumed_rows_do_not_flatter_the_rate():
    clock = clock_at([0.0, 2.0], rows_total=100, rows_before=50, fraction_before=0.5)
    assert clock.at(60, None) == Progress(60, 100, 0.6, 5.0, 8.0)


def test_time_left_follows_the_bytes_where_the_total_is_unknown():
    clock = clock_at([0.0, 3.0], rows_total=None, rows_before=50, fraction_before=0.5)
    assert clock.at(80, 0.75) == Progress(80, None, 0.75, 10.0, 3.0)


def test_nothing_is_promised_at_the_start_or_on_stdin():
    clock = clock_at([0.0, 0.0, 1.0], rows_total=None, rows_before=0, fraction_before=None)
    assert clock.at(0, None) == Progress(0, None, None, 0.0, None)
    assert clock.at(7, None) == Progress(7, None, None, 7.0, None)


def test_an_empty_input_is_done():
    clock = clock_at([0.0, 0.0], rows_total=0, rows_before=0, fraction_before=None)
    assert clock.at(0, None).fraction == 1.0

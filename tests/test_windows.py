"""Windows cover every token, in order, and overlap as asked."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelwise.errors import InputError, TextTooLongError
from labelwise.windows import Reading, Window, plan_reading, plan_windows


@given(st.integers(0, 3000), st.integers(1, 200), st.data())
def test_windows_cover_every_token(num_tokens, room, data):
    overlap = data.draw(st.integers(0, room - 1))
    windows = plan_windows(num_tokens, room=room, overlap=overlap)
    assert windows[0].start == 0
    assert windows[-1].end == num_tokens
    assert all(len(window) <= room for window in windows)
    assert all(later.start <= earlier.end - overlap for earlier, later in itertools.pairwise(windows))
    assert all(later.start > earlier.start for earlier, later in itertools.pairwise(windows))


@given(st.integers(0, 100))
def test_a_text_that_fits_is_one_window(num_tokens):
    assert plan_windows(num_tokens, room=100, overlap=20) == (Window(0, num_tokens),)


def test_the_last_window_is_full():
    assert [len(window) for window in plan_windows(101, room=10, overlap=0)] == [10] * 11


@pytest.mark.parametrize(("room", "overlap"), [(0, 0), (5, 5), (5, -1)])
def test_windows_that_cannot_advance_are_refused(room, overlap):
    with pytest.raises(InputError):
        plan_windows(10, room=room, overlap=overlap)


def test_truncate_reads_the_beginning_and_says_so():
    assert plan_reading(50, room=20, truncation="truncate", name="text 1") == Reading((Window(0, 20),), True)


def test_error_names_the_text_and_both_numbers():
    with pytest.raises(TextTooLongError, match="text 7 has 50 tokens and only 20 fit"):
        plan_reading(50, room=20, truncation="error", name="text 7")


@pytest.mark.parametrize("truncation", ["window", "truncate", "error"])
def test_a_text_that_fits_is_never_cut(truncation):
    assert plan_reading(20, room=20, truncation=truncation, name="t") == Reading((Window(0, 20),), False)


def test_an_unknown_policy_is_refused():
    with pytest.raises(InputError, match="'cut' is not one of window, truncate, error"):
        plan_reading(5, room=20, truncation="cut", name="t")

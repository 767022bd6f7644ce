"""Spans that can be cut out and read."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelwise.text.offsets import readable_spans


def spans_of(text: str, spans: list[tuple[int, int]]) -> list[str]:
    return [
        text[s:e] for s, e in readable_spans(text, np.array(spans, dtype=np.int64).reshape(-1, 2)).tolist()
    ]


@pytest.mark.parametrize(
    ("text", "spans", "words"),
    [
        ("a fox", [(0, 1), (1, 5)], ["a", "fox"]),
        ("\tfox \n", [(0, 6)], ["fox"]),
        ("a   b", [(0, 1), (1, 4), (4, 5)], ["a", "   ", "b"]),
        ("a b", [(1, 1), (0, 3)], ["", "a b"]),
        ("\u3000fox\u00a0", [(0, 5)], ["fox"]),
        ("", [], []),
    ],
)
def test_white_space_around_a_word_is_cut_off(text, spans, words):
    assert spans_of(text, spans) == words


def test_a_letter_gets_back_the_marks_that_its_token_lost():
    assert spans_of("Cafe\u0301\u0323 x", [(0, 4), (7, 8)]) == ["Cafe\u0301\u0323", "x"]


def test_a_mark_that_is_a_token_keeps_its_own_span():
    assert spans_of("e\u0301", [(0, 1), (1, 2)]) == ["e", "\u0301"]


@given(st.text(alphabet="a \n\u0301é\u3000", max_size=12), st.data())
def test_spans_never_run_backwards_and_only_lose_white_space_or_win_marks(text, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    spans = np.array(list(pairwise(cuts)), dtype=np.int64).reshape(-1, 2)
    readable = readable_spans(text, spans)
    assert (readable[:, 0] <= readable[:, 1]).all()
    assert (np.diff(readable, axis=0) >= 0).all()
    for (start, end), (new_start, new_end) in zip(spans.tolist(), readable.tolist(), strict=True):
        assert text[start:end].strip() == text[new_start : min(new_end, end)].strip()
        assert not text[end:new_end].strip("\u0301")

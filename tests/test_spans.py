"""Answer spans: compared at logit level over all windows, and always a piece of the context."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelwise.errors import InputError
from labelwise.results import Answer
from labelwise.spans import AnswerRule, WindowLogits, best_spans, decide_answers

CONTEXT = "one two three four five six seven eight"
WORDS = [(0, 3), (4, 7), (8, 13), (14, 18), (19, 23), (24, 27), (28, 33), (34, 39)]
numbers = st.floats(-30, 30)


def window(start, end, offsets, null=0.0):
    return WindowLogits(
        np.array(start), np.array(end), np.array(offsets, dtype=np.int64).reshape(-1, 2), null
    )


def pointing_at(first, last, logit=10.0, null=0.0):
    start, end = np.zeros(8), np.zeros(8)
    start[first], end[last] = logit, logit
    return window(start, end, WORDS, null)


def brute_force(windows, max_answer_tokens):
    found = {}
    for one in windows:
        for first in range(len(one.start)):
            for last in range(first, min(first + max_answer_tokens, len(one.start))):
                span = (int(one.offsets[first, 0]), int(one.offsets[last, 1]))
                found[span] = max(found.get(span, -np.inf), float(one.start[first]) + float(one.end[last]))
    return sorted(found.items(), key=lambda item: (-item[1], item[0]))


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=8), st.integers(1, 9), st.integers(1, 40))
def test_the_best_spans_are_those_of_brute_force(logits, max_answer_tokens, num_best):
    one = window([a for a, _ in logits], [b for _, b in logits], WORDS[: len(logits)])
    spans = best_spans([one], max_answer_tokens=max_answer_tokens, num_best=num_best)
    expected = brute_force([one], max_answer_tokens)[:num_best]
    assert [span.logit for span in spans] == pytest.approx([logit for _, logit in expected])


def test_a_span_is_a_piece_of_the_context():
    (answer,) = decide_answers(CONTEXT, [pointing_at(2, 3)], AnswerRule())
    assert (answer.text, answer.start, answer.end) == ("three four", 8, 18)


def test_windows_are_compared_by_logits_and_not_by_their_own_softmax():
    flat_but_low = window(np.full(4, -9.0), np.full(4, -9.0), WORDS[:4], null=-9.0)
    clear = window([2.0, 0, 0, 0], [3.0, 0, 0, 0], WORDS[4:], null=-1.0)
    (answer,) = decide_answers(CONTEXT, [flat_but_low, clear], AnswerRule(no_answer=False))
    assert answer.text == "five"
    assert answer.windows_read == 2


def test_the_null_score_is_the_least_over_windows():
    sure_of_nothing = pointing_at(0, 0, logit=1.0, null=50.0)
    sees_it = pointing_at(4, 4, logit=5.0, null=2.0)
    (answer,) = decide_answers(CONTEXT, [sure_of_nothing, sees_it], AnswerRule())
    assert answer.text == "five"


def test_no_answer_wins_when_null_is_larger_than_the_best_span():
    (answer,) = decide_answers(CONTEXT, [pointing_at(1, 1, logit=1.0, null=2.5)], AnswerRule())
    assert not answer.is_answer
    assert (answer.text, answer.start, answer.end) == ("", 0, 0)
    assert answer.score == answer.null_score


def test_an_exact_tie_keeps_the_span():
    (answer,) = decide_answers(CONTEXT, [pointing_at(1, 1, logit=1.0, null=2.0)], AnswerRule())
    assert answer.text == "two"


def test_the_null_threshold_moves_the_decision():
    windows = [pointing_at(1, 1, logit=1.0, null=2.5)]
    (answer,) = decide_answers(CONTEXT, windows, AnswerRule(null_threshold=1.0))
    assert answer.text == "two"


@settings(max_examples=40)
@given(
    st.lists(st.tuples(numbers, numbers), min_size=8, max_size=8),
    numbers,
    numbers,
    numbers,
    st.integers(1, 4),
)
def test_raising_the_null_threshold_never_turns_an_answer_into_none(logits, null, one, other, top_k):
    windows = [window([a for a, _ in logits], [b for _, b in logits], WORDS, null)]
    low, high = (
        decide_answers(CONTEXT, windows, AnswerRule(top_k=top_k, null_threshold=threshold))
        for threshold in sorted([one, other])
    )
    spans = [[(answer.start, answer.end) for answer in found if answer.is_answer] for found in (low, high)]
    assert spans[0] == spans[1][: len(spans[0])]
    assert high[0].null_score <= low[0].null_score


@settings(max_examples=40)
@given(st.lists(st.tuples(numbers, numbers), min_size=8, max_size=8), numbers, numbers, st.integers(1, 4))
def test_what_wins_is_what_is_likeliest_at_every_null_threshold(logits, null, null_threshold, top_k):
    windows = [window([a for a, _ in logits], [b for _, b in logits], WORDS, null)]
    rule = AnswerRule(top_k=top_k, null_threshold=null_threshold)
    scores = [answer.score for answer in decide_answers(CONTEXT, windows, rule)]
    assert scores == sorted(scores, reverse=True) or scores == pytest.approx(sorted(scores, reverse=True))


@settings(max_examples=40)
@given(
    st.lists(st.tuples(numbers, numbers), min_size=8, max_size=8), numbers, st.integers(1, 4), st.booleans()
)
def test_a_null_threshold_is_a_smaller_null_logit_and_0_changes_nothing(logits, null, top_k, no_answer):
    def decided(null, **rule):
        one = window([a for a, _ in logits], [b for _, b in logits], WORDS, null)
        return decide_answers(CONTEXT, [one], AnswerRule(top_k=top_k, no_answer=no_answer, **rule))

    assert decided(null, null_threshold=0.0) == decided(null)
    # Of whole numbers the difference is exact, so a tie stays a tie.
    whole = float(round(null))
    assert [answer.score for answer in decided(whole, null_threshold=4.0)] == pytest.approx(
        [answer.score for answer in decided(whole - 4.0)]
    )


def test_without_no_answer_a_span_always_comes_back():
    (answer,) = decide_answers(CONTEXT, [pointing_at(1, 1, null=99.0)], AnswerRule(no_answer=False))
    assert answer.text == "two"
    assert answer.null_score == pytest.approx(1.0)


@given(
    st.lists(st.tuples(numbers, numbers), min_size=8, max_size=8), st.integers(1, 10), st.booleans(), numbers
)
def test_answers_never_overlap_and_are_ranked(logits, top_k, no_answer, null):
    one = window([a for a, _ in logits], [b for _, b in logits], WORDS, null)
    answers = decide_answers(CONTEXT, [one], AnswerRule(top_k=top_k, no_answer=no_answer))
    assert 1 <= len(answers) <= top_k
    scores = [answer.score for answer in answers]
    assert scores == sorted(scores, reverse=True)
    assert all(0.0 <= score <= 1.0 for score in scores)
    spans = sorted((answer.start, answer.end) for answer in answers if answer.is_answer)
    assert all(earlier[1] <= later[0] for earlier, later in itertools.pairwise(spans))
    assert all(CONTEXT[answer.start : answer.end] == answer.text for answer in answers)


def test_the_longest_answer_is_limited():
    (answer,) = decide_answers(CONTEXT, [pointing_at(0, 7)], AnswerRule(max_answer_tokens=3, no_answer=False))
    assert len(answer.text.split()) <= 3


def test_a_context_without_tokens_has_no_answer():
    (answer,) = decide_answers("", [window([], [], [])], AnswerRule())
    assert answer == Answer("", 0, 0, score=1.0, null_score=1.0)


def test_the_same_span_in_two_windows_counts_once():
    answers = decide_answers(
        CONTEXT, [pointing_at(2, 2), pointing_at(2, 2)], AnswerRule(top_k=2, no_answer=False)
    )
    assert [answer.text for answer in answers].count("three") == 1


@pytest.mark.parametrize("rule", [{"top_k": 0}, {"max_answer_tokens": 0}, {"null_threshold": float("inf")}])
def test_settings_without_meaning_are_refused(rule):
    with pytest.raises(InputError):
        AnswerRule(**rule)

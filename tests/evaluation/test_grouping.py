"""Exploded rows become one row of scores per text, or nothing at all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelwise.errors import DataError
from labelwise.evaluation.grouping import PairGrid, group_pairs


def exploded(scores, holds):
    num_texts, num_hypotheses = scores.shape
    rows = [(text, column) for text in range(num_texts) for column in range(num_hypotheses)]
    return (
        [text for text, _ in rows],
        [f"it is {column}" for _, column in rows],
        scores.ravel(),
        holds.ravel(),
    )


@given(st.integers(1, 6), st.integers(1, 5), st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_the_order_of_the_rows_does_not_matter(num_texts, num_hypotheses, random):
    scores = np.arange(num_texts * num_hypotheses, dtype=float).reshape(num_texts, num_hypotheses)
    ids, hypotheses, flat, holds = exploded(scores, scores % 2 == 0)
    order = list(range(len(ids)))
    random.shuffle(order)
    grid = group_pairs([ids[i] for i in order], [hypotheses[i] for i in order], flat[order], holds[order])
    for row, text in enumerate(grid.text_ids):
        for column, hypothesis in enumerate(grid.hypotheses):
            assert grid.scores[row, column] == scores[text, int(hypothesis.removeprefix("it is "))]
    assert (grid.holds == (grid.scores % 2 == 0)).all()


def test_a_text_that_lacks_a_hypothesis_stops_the_grouping():
    # The published harness cuts such rows into blocks and compares hypotheses of different texts.
    ids, hypotheses, flat, holds = exploded(np.zeros((3, 4)), np.zeros((3, 4), bool))
    with pytest.raises(DataError, match=r"text 1 has hypothesis 'it is 2' 0 times, .* each of the 4"):
        group_pairs(ids[:6] + ids[7:], hypotheses[:6] + hypotheses[7:], flat[1:], holds[1:])


def test_a_text_that_occurs_twice_under_one_id_stops_the_grouping():
    with pytest.raises(DataError, match="text 'same' has hypothesis 'x' 2 times"):
        group_pairs(["same", "same"], ["x", "x"], np.zeros(2), np.zeros(2, bool))


def test_texts_of_an_excluded_class_count_only_when_asked_to():
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
    holds = np.array([[True, False], [True, False], [False, False]])
    grid = group_pairs(*exploded(scores, holds))
    assert grid.has_gold.tolist() == [True, True, False]
    assert grid.accuracy(counts_texts_without_gold=False) == 0.5
    assert grid.accuracy(counts_texts_without_gold=True) == pytest.approx(1 / 3)


def test_texts_without_any_true_hypothesis_cannot_be_scored_alone():
    grid = group_pairs(*exploded(np.zeros((2, 2)), np.zeros((2, 2), bool)))
    with pytest.raises(DataError, match="no text has a true hypothesis"):
        grid.accuracy(counts_texts_without_gold=False)


def test_bad_rows_are_refused():
    with pytest.raises(DataError, match="row 2 is NaN"):
        group_pairs([1, 1], ["x", "y"], np.array([0.0, np.nan]), np.zeros(2, bool))
    with pytest.raises(DataError, match="as many"):
        group_pairs([1], ["x", "y"], np.zeros(2), np.zeros(2, bool))
    with pytest.raises(DataError, match=r"must both be \(1, 2\)"):
        PairGrid((1,), ("x", "y"), np.zeros((1, 3)), np.zeros((1, 2), bool))

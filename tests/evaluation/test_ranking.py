"""Ranking measures against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from labelwise.errors import InputError
from labelwise.evaluation.ranking import evaluate_ranking, first_hit_rank, ndcg_at

candidates = st.lists(
    st.tuples(st.sampled_from([0.1, 0.2, 0.3]) | st.floats(-9, 9), st.integers(0, 3)), min_size=2
)


@given(candidates, st.integers(1, 12))
@settings(max_examples=150, deadline=None)
def test_ndcg_equals_that_of_scikit_learn_ties_included(pairs, k):
    scores = np.array([score for score, _ in pairs])
    relevance = np.array([gain for _, gain in pairs])
    assert ndcg_at(scores, relevance, k=k) == pytest.approx(ndcg_score([relevance], [scores], k=k), abs=1e-9)


def test_a_single_candidate_that_is_relevant_is_ranked_perfectly():
    report = evaluate_ranking([np.array([0.1])], [np.array([1])], ks=[1])
    assert report.to_dict() == {
        "mrr": 1.0, "hit@1": 1.0, "ndcg@1": 1.0, "num_queries": 1, "num_queries_without_relevant": 0,
    }  # fmt: skip


def test_the_mean_goes_over_queries_of_any_length():
    scores = [np.array([0.9, 0.5, 0.1]), np.array([0.1, 0.9]), np.array([0.4, 0.3, 0.2, 0.1])]
    relevance = [np.array([1, 0, 1]), np.array([1, 0]), np.array([0, 0, 0, 1])]
    report = evaluate_ranking(scores, relevance, ks=[1, 3])
    assert report.mrr == pytest.approx((1 + 1 / 2 + 1 / 4) / 3)
    assert report.hit_at == {1: pytest.approx(1 / 3), 3: pytest.approx(2 / 3)}
    first = (1 + 1 / np.log2(4)) / (1 + 1 / np.log2(3))
    assert report.ndcg_at[3] == pytest.approx((first + 1 / np.log2(3) + 0) / 3)


def test_equal_scores_never_flatter():
    constant = np.zeros(4)
    assert first_hit_rank(constant, np.array([1, 0, 0, 0])) == 4
    assert first_hit_rank(constant, np.array([1, 1, 0, 0])) == 3


def test_queries_without_a_relevant_candidate_are_counted_apart():
    report = evaluate_ranking([np.ones(2), np.array([2.0, 1.0])], [np.zeros(2), np.array([1, 0])])
    assert report.mrr == 1.0
    assert (report.num_queries, report.num_queries_without_relevant) == (1, 1)


@pytest.mark.parametrize(
    ("scores", "relevance", "ks", "message"),
    [
        ([np.ones(2)], [], [1], "1 queries have scores and 0"),
        ([np.ones(2)], [np.ones(3)], [1], "query 1"),
        ([np.array([np.nan, 1.0])], [np.ones(2)], [1], "finite"),
        ([np.ones(2)], [np.array([-1, 1])], [1], "not below 0"),
        ([np.ones(2)], [np.zeros(2)], [1], "none of the 1 queries"),
        ([np.ones(2)], [np.ones(2)], [0], "at least 1"),
    ],
)
def test_what_cannot_be_ranked_is_refused(scores, relevance, ks, message):
    with pytest.raises(InputError, match=message):
        evaluate_ranking(scores, relevance, ks=ks)

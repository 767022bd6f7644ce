"""How well candidates are ranked: MRR, Hit@k and NDCG@k, averaged over queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import InputError

__all__ = ["RankingQuery", "RankingReport", "evaluate_ranking", "first_hit_rank", "group_queries", "ndcg_at"]


@dataclass(frozen=True, slots=True)
class RankingQuery:
    """A query, its candidates, and how relevant each is: 0 for irrelevant, more for relevant.

    Raises:
        InputError: there is no candidate, or not one relevance for each.
    """

    text: str
    candidates: tuple[str, ...]
    relevance: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.candidates or len(self.candidates) != len(self.relevance):
            raise InputError(
                f"query {self.text[:60]!r} has {len(self.candidates)} candidates and {len(self.relevance)} "
                "relevance: give at least one, and one number for each"
            )


@dataclass(frozen=True, slots=True)
class RankingReport:
    """Means over the queries that have at least one relevant candidate.

    Attributes:
        mrr: mean reciprocal rank of the best-placed relevant candidate.
        hit_at: k to the share of queries with a relevant candidate among the first k.
        ndcg_at: k to the mean NDCG of the first k.
        num_queries: queries that count.
        num_queries_without_relevant: queries left out, since no order of theirs is better than another.
    """

    mrr: float
    hit_at: Mapping[int, float]
    ndcg_at: Mapping[int, float]
    num_queries: int
    num_queries_without_relevant: int

    def to_dict(self) -> dict[str, Any]:
        """Return the measures by their usual names: "mrr", "hit@1", "ndcg@10", ..."""
        return {
            "mrr": self.mrr,
            **{f"hit@{k}": value for k, value in self.hit_at.items()},
            **{f"ndcg@{k}": value for k, value in self.ndcg_at.items()},
            "num_queries": self.num_queries,
            "num_queries_without_relevant": self.num_queries_without_relevant,
        }


def evaluate_ranking(
    scores: Sequence[NDArray[np.floating]],
    relevance: Sequence[NDArray[np.floating] | NDArray[np.integer] | NDArray[np.bool_]],
    *,
    ks: Sequence[int] = (1, 3, 5, 10),
) -> RankingReport:
    """Score the ranking of each query's candidates; queries may differ in how many they have.

    Args:
        scores: per query, shape (candidates,): the greater, the better the rank.
        relevance: per query, shape (candidates,): 0 for irrelevant, more for relevant, graded if you like.
            MRR and Hit@k count any relevance above 0.
        ks: the cut-offs.

    Raises:
        InputError: shapes differ, a number is not finite or below 0, or no query has a relevant candidate.

    >>> evaluate_ranking([np.array([0.2, 0.9])], [np.array([1, 0])], ks=[1]).mrr
    0.5
    """
    if len(scores) != len(relevance):
        raise InputError(
            f"{len(scores)} queries have scores and {len(relevance)} relevance: give both for each"
        )
    if any(k < 1 for k in ks):
        raise InputError(f"every cut-off must be at least 1, got {list(ks)}")
    for number, (one, gains) in enumerate(zip(scores, relevance, strict=True), start=1):
        _check_query(number, one, gains)
    counted = [(one, gains) for one, gains in zip(scores, relevance, strict=True) if np.any(gains > 0)]
    if not counted:
        raise InputError(f"none of the {len(scores)} queries has a relevant candidate: check the relevance")
    ranks = np.array([first_hit_rank(one, gains) for one, gains in counted])
    return RankingReport(
        mrr=float((1.0 / ranks).mean()),
        hit_at={k: float((ranks <= k).mean()) for k in ks},
        ndcg_at={k: float(np.mean([ndcg_at(one, gains, k=k) for one, gains in counted])) for k in ks},
        num_queries=len(counted),
        num_queries_without_relevant=len(scores) - len(counted),
    )


def group_queries(rows: Iterable[tuple[str, str, float]]) -> list[RankingQuery]:
    """Group (query, candidate, relevance) rows by query, wherever they stand; queries by first appearance.

    Raises:
        InputError: a candidate stands twice under one query.

    >>> group_queries([("q", "a", 1.0), ("r", "c", 0.0), ("q", "b", 0.0)])[0].candidates
    ('a', 'b')
    """
    grouped: dict[str, dict[str, float]] = {}
    for query, candidate, relevance in rows:
        members = grouped.setdefault(query, {})
        if candidate in members:
            raise InputError(f"query {query[:60]!r} has candidate {candidate[:60]!r} twice: leave one out")
        members[candidate] = relevance
    return [RankingQuery(query, tuple(found), tuple(found.values())) for query, found in grouped.items()]


def first_hit_rank(
    scores: NDArray[np.floating], relevance: NDArray[np.floating] | NDArray[np.integer] | NDArray[np.bool_]
) -> int:
    """Return the rank, from 1, of the best relevant candidate; irrelevant ones of equal score come first.

    Otherwise a model that gives every candidate the same score would be perfect on data that lists the
    relevant one first.
    """
    is_relevant = np.asarray(relevance) > 0
    best = scores[is_relevant].max()
    return int((scores[~is_relevant] >= best).sum()) + 1


def ndcg_at(
    scores: NDArray[np.floating],
    relevance: NDArray[np.floating] | NDArray[np.integer] | NDArray[np.bool_],
    *,
    k: int,
) -> float:
    """Return the normalised discounted cumulative gain of the first k candidates, from 0 to 1.

    The gain is the relevance itself, the discount ``log2(1 + rank)`` (Järvelin and Kekäläinen, 2002).
    Candidates of equal score share the mean of their places (McSherry and Najork, 2008), as in scikit-learn.
    """
    gains = np.asarray(relevance, dtype=np.float64)
    discounts = np.where(np.arange(len(gains)) < k, 1.0 / np.log2(np.arange(len(gains)) + 2.0), 0.0)
    ideal = float(np.sort(gains)[::-1] @ discounts)
    return _tie_averaged_gain(scores, gains, discounts) / ideal if ideal else 0.0


def _tie_averaged_gain(
    scores: NDArray[np.floating], gains: NDArray[np.float64], discounts: NDArray[np.float64]
) -> float:
    _, group_of, sizes = np.unique(-np.asarray(scores), return_inverse=True, return_counts=True)
    mean_gain = np.bincount(group_of, weights=gains) / sizes
    ends = np.cumsum(sizes)
    summed_discount = np.add.reduceat(discounts, ends - sizes)
    return float(mean_gain @ summed_discount)


def _check_query(
    number: int,
    scores: NDArray[np.floating],
    relevance: NDArray[np.floating] | NDArray[np.integer] | NDArray[np.bool_],
) -> None:
    if scores.ndim != 1 or scores.shape != relevance.shape or not len(scores):
        raise InputError(
            f"query {number}: scores {scores.shape} and relevance {relevance.shape} must be one number each"
        )
    if not np.isfinite(scores).all() or not np.isfinite(relevance).all() or (relevance < 0).any():
        raise InputError(
            f"query {number}: scores must be finite numbers, and relevance finite and not below 0"
        )

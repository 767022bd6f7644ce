"""Labelled rows: from the columns of a file or hub split to the values that are measured."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from labelwise.errors import DataError, InputError
from labelwise.evaluation.protocols import EvaluationSet
from labelwise.evaluation.ranking import RankingQuery, group_queries
from labelwise.evaluation.squad_file import SquadQuestion

__all__ = ["LabelledPair", "LabelledRow", "LabelledText", "SeveralLabels", "labelled_rows", "spread"]


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text and its one true label."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class SeveralLabels:
    """A text and all labels that are true of it; there may be none."""

    text: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """A premise, a hypothesis, and "entailment", "neutral", "contradiction" or "not_entailment"."""

    premise: str
    hypothesis: str
    label: str


LabelledRow = LabelledText | SeveralLabels | LabelledPair | RankingQuery | SquadQuestion
Item = TypeVar("Item")


def labelled_rows(
    one: EvaluationSet, rows: Iterable[tuple[int, Mapping[str, Any]]], *, limit: int | None = None
) -> list[LabelledRow]:
    """Read numbered rows as what the set's task needs.

    Ranking data come as lists (columns query, candidates, relevance) or with one candidate a row (query,
    candidate, relevance). A text has one label, or a list of them in a column "labels": in a file without
    lists, a list as JSON or names between commas.

    Args:
        one: says which column is what; a file may use the plain names (text, label, ...) instead.
        rows: (row number, column -> value).
        limit: keep that many, spread over the set evenly, after the set's own cap per class.

    Raises:
        DataError: a column is missing or holds a value of the wrong kind; the row is named.
    """
    read: list[LabelledRow]
    if one.task == "rank":
        read = list(_queries(one, rows))
    elif one.task == "entail":
        read = [
            LabelledPair(_text(one, row, "premise", number), _text(one, row, "hypothesis", number), label)
            for number, row in rows
            if (label := _label(one, row, number)) is not None
        ]
    elif (numbered := list(rows)) and _has_several(one, numbered[0][1]):
        read = [
            SeveralLabels(_text(one, row, "text", number), _several(one, row, number))
            for number, row in numbered
        ]
    else:
        texts = [
            LabelledText(_text(one, row, "text", number), label)
            for number, row in numbered
            if (label := _label(one, row, number)) is not None
        ]
        read = list(_capped(texts, one.max_texts_per_class))
    return spread(spread(read, one.max_rows), limit)


def spread(rows: Sequence[Item], limit: int | None) -> list[Item]:
    """Take every n-th row: files are often sorted by class, and a head would be one class.

    >>> spread([1, 2, 3, 4], 2)
    [1, 3]
    """
    if limit is None or limit >= len(rows):
        return list(rows)
    return [rows[place * len(rows) // limit] for place in range(limit)]


def _queries(one: EvaluationSet, rows: Iterable[tuple[int, Mapping[str, Any]]]) -> list[RankingQuery]:
    queries: list[RankingQuery] = []
    grouped: list[tuple[str, str, float]] = []
    for number, row in rows:
        query = _text(one, row, "query", number)
        relevance = row.get(_column(one, row, "relevance"))
        if _column(one, row, "candidates") in row:
            candidates = row[_column(one, row, "candidates")]
            if not isinstance(candidates, list) or not isinstance(relevance, list):
                raise DataError(f"row {number}: candidates and relevance must both be lists")
            texts = tuple(str(candidate) for candidate in candidates)
            gains = tuple(_relevance(value, number) for value in relevance)
            queries.append(_checked_query(query, texts, gains, number))
        else:
            candidate = _text(one, row, "candidate", number)
            grouped.append((query, candidate, _relevance(relevance, number)))
    return [*queries, *group_queries(grouped)]


def _checked_query(
    query: str, candidates: tuple[str, ...], relevance: tuple[float, ...], number: int
) -> RankingQuery:
    try:
        return RankingQuery(query, candidates, relevance)
    except InputError as error:
        raise DataError(f"row {number}: {error}") from error


def _relevance(value: Any, number: int) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise DataError(f"row {number}: relevance {value!r} is not a number") from None


def _text(one: EvaluationSet, row: Mapping[str, Any], role: str, number: int) -> str:
    column = _column(one, row, role)
    value = row.get(column)
    if not isinstance(value, str) or not value.strip():
        raise DataError(
            f"row {number}: column {column!r} must hold text, got {value!r}; there are {', '.join(row)}"
        )
    return value


def _column(one: EvaluationSet, row: Mapping[str, Any], role: str) -> str:
    """Return the column of a role: as the set names it, or plainly, where a file has that instead."""
    named = one.column(role)
    return role if named not in row and role in row else named


def _label(one: EvaluationSet, row: Mapping[str, Any], number: int) -> str | None:
    """Return the label by its name; None for the -1 or "-" of NLI sets, which stands for no agreement."""
    column = _column(one, row, "label")
    value = row.get(column)
    if value is None or isinstance(value, list | dict):
        raise DataError(f"row {number}: column {column!r} must hold one label, got {value!r}")
    plain = str(value).lower() if isinstance(value, bool) else str(value)
    if one.task == "entail" and plain in ("-1", "-"):
        return None
    return one.label_values.get(plain, plain)


def _has_several(one: EvaluationSet, row: Mapping[str, Any]) -> bool:
    return _column(one, row, "label") not in row and _column(one, row, "labels") in row


def _several(one: EvaluationSet, row: Mapping[str, Any], number: int) -> tuple[str, ...]:
    column = _column(one, row, "labels")
    value = row.get(column)
    if isinstance(value, str):
        value = _listed(value, number)
    if not isinstance(value, list):
        raise DataError(f"row {number}: column {column!r} must hold a list of labels, got {value!r}")
    return tuple(dict.fromkeys(one.label_values.get(str(label), str(label)) for label in value))


def _listed(text: str, number: int) -> list[Any]:
    if not text.lstrip().startswith("["):
        return [label.strip() for label in text.split(",") if label.strip()]
    try:
        return list(json.loads(text))
    except ValueError:
        raise DataError(f"row {number}: labels {text!r} is neither a list nor names between commas") from None


def _capped(texts: Sequence[LabelledText], maximum: int | None) -> Sequence[LabelledText]:
    if maximum is None:
        return texts
    places_of: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(texts):
        places_of[row.label].append(place)
    kept = sorted(place for places in places_of.values() for place in spread(places, maximum))
    return [texts[place] for place in kept]

"""Labelled rows: from the columns of a file or hub split to the values that are measured."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from labelwise.errors import DataError, InputError
from labelwise.evaluation.protocols import EvaluationSet
from labelwise.evaluation.ranking import RankingQuery, group_queries
from labelwise.evaluation.registry_rows import LeftOutRow
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
NumberedRow = tuple[int, Mapping[str, Any]]
Item = TypeVar("Item")

_PAIR_LABELS = ("entailment", "neutral", "contradiction", "not_entailment")
# What NLI sets write where their annotators did not agree.
_NO_AGREED_LABEL = ("-1", "-")


def labelled_rows(
    one: EvaluationSet,
    rows: Iterable[NumberedRow],
    *,
    limit: int | None = None,
    on_bad: Callable[[LeftOutRow], None] | None = None,
    takes_plain_names: bool = True,
) -> list[LabelledRow]:
    """Read numbered rows as what the set's task needs.

    Ranking data come as lists (columns query, candidates, relevance) or with one candidate a row (query,
    candidate, relevance). A text has one label, or a list of them in a column "labels" or in the label's: in
    a file without lists, "labels" holds a list as JSON or names between commas.

    Args:
        one: says which column is what.
        rows: (row number, column -> value).
        limit: keep that many, spread over the set evenly, after the set's own cap per class.
        on_bad: told of each row that cannot be used, which is then left out; None stops at the first.
        takes_plain_names: a file may use the plain names (text, label, ...) in place of the set's.

    Raises:
        DataError: no row has a column that is needed, or a row cannot be used and ``on_bad`` is None.
    """
    numbered = list(rows)
    columns = dict.fromkeys(column for _, row in numbered for column in row)
    if numbered:
        _check_columns(one, columns, takes_plain_names=takes_plain_names)
    if one.task == "rank":
        return spread(spread(_queries(one, numbered, on_bad), one.max_rows), limit)
    read: Callable[[Mapping[str, Any]], LabelledRow | None]
    if one.task == "entail":
        read = partial(_pair, one)
    elif _has_several(one, columns, numbered):
        read = partial(_text_of_several, one)
    else:
        read = partial(_text_of_one, one)
    usable = _capped(_usable(numbered, read, on_bad), one.max_texts_per_class)
    return spread(spread(usable, one.max_rows), limit)


def spread(rows: Sequence[Item], limit: int | None) -> list[Item]:
    """Take every n-th row: files are often sorted by class, and a head would be one class.

    >>> spread([1, 2, 3, 4], 2)
    [1, 3]
    """
    if limit is None or limit >= len(rows):
        return list(rows)
    return [rows[place * len(rows) // limit] for place in range(limit)]


def _usable(
    rows: Iterable[NumberedRow],
    read: Callable[[Mapping[str, Any]], Item | None],
    on_bad: Callable[[LeftOutRow], None] | None,
) -> list[Item]:
    """Read each row; None is a row that is left out by design, and an error names one that is bad."""
    found: list[Item] = []
    for number, row in rows:
        try:
            item = read(row)
        except (DataError, InputError) as error:
            bad = LeftOutRow(number, str(error))
            if on_bad is None:
                raise DataError(str(bad)) from error
            on_bad(bad)
        else:
            if item is not None:
                found.append(item)
    return found


def _check_columns(one: EvaluationSet, columns: Collection[str], *, takes_plain_names: bool) -> None:
    needed = {
        "entail": (("premise",), ("hypothesis",), ("label",)),
        "rank": (("query",), ("candidate", "candidates"), ("relevance",)),
    }.get(one.task, (("text",), ("label", "labels")))
    for roles in needed:
        names = [one.column(role) for role in roles]
        # A column that was named for one of the roles is the one that has to be there.
        named = [name for role, name in zip(roles, names, strict=True) if name != role]
        accepted = [*names, *roles] if takes_plain_names or not named else named
        if not any(name in columns for name in accepted):
            existing = ", ".join(repr(column) for column in columns)
            source = one.path or (one.hub.id if one.hub else one.name)
            raise DataError(f"{source} has no column {(named or names)[0]!r}: it has {existing}")


def _pair(one: EvaluationSet, row: Mapping[str, Any]) -> LabelledPair | None:
    premise, hypothesis, label = _text(one, row, "premise"), _text(one, row, "hypothesis"), _label(one, row)
    if label in _NO_AGREED_LABEL:
        return None
    if label not in _PAIR_LABELS:
        raise DataError(f"label {label!r} is not one of {', '.join(_PAIR_LABELS)}")
    return LabelledPair(premise, hypothesis, label)


def _text_of_one(one: EvaluationSet, row: Mapping[str, Any]) -> LabelledText:
    return LabelledText(_text(one, row, "text"), _label(one, row))


def _text_of_several(one: EvaluationSet, row: Mapping[str, Any]) -> SeveralLabels:
    return SeveralLabels(_text(one, row, "text"), _several(one, row))


def _queries(
    one: EvaluationSet, rows: Iterable[NumberedRow], on_bad: Callable[[LeftOutRow], None] | None
) -> list[RankingQuery]:
    seen: set[tuple[str, str]] = set()

    def read(row: Mapping[str, Any]) -> RankingQuery | tuple[str, str, float]:
        query = _text(one, row, "query")
        if _column(one, row, "candidates") in row:
            return _whole_query(one, row, query)
        candidate = _text(one, row, "candidate")
        relevance = _relevance(row.get(_column(one, row, "relevance")))
        if (query, candidate) in seen:
            raise DataError(f"query {query[:60]!r} has candidate {candidate[:60]!r} twice")
        seen.add((query, candidate))
        return query, candidate, relevance

    found: list[RankingQuery | tuple[str, str, float]] = _usable(rows, read, on_bad)
    whole = [item for item in found if isinstance(item, RankingQuery)]
    return [*whole, *group_queries(item for item in found if isinstance(item, tuple))]


def _whole_query(one: EvaluationSet, row: Mapping[str, Any], query: str) -> RankingQuery:
    candidates, relevance = row[_column(one, row, "candidates")], row.get(_column(one, row, "relevance"))
    if not isinstance(candidates, list) or not isinstance(relevance, list):
        raise DataError("candidates and relevance must both be lists")
    return RankingQuery(
        query, tuple(str(candidate) for candidate in candidates), tuple(map(_relevance, relevance))
    )


def _relevance(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise DataError(f"relevance {value!r} is not a number") from None


def _text(one: EvaluationSet, row: Mapping[str, Any], role: str) -> str:
    column = _column(one, row, role)
    value = row.get(column)
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"column {column!r} must hold text, got {value!r}")
    return value


def _column(one: EvaluationSet, row: Mapping[str, Any], role: str) -> str:
    """Return the column of a role: as the set names it, or plainly, where a file has that instead."""
    named = one.column(role)
    return role if named not in row and role in row else named


def _label(one: EvaluationSet, row: Mapping[str, Any]) -> str:
    """Return the label by its name."""
    column = _column(one, row, "label")
    value = row.get(column)
    plain = str(value).lower() if isinstance(value, bool) else str(value)
    if value is None or isinstance(value, list | dict) or not plain.strip():
        raise DataError(f"column {column!r} must hold one label, got {value!r}")
    return plain if plain in _NO_AGREED_LABEL and one.task == "entail" else one.label_values.get(plain, plain)


def _has_several(one: EvaluationSet, columns: Collection[str], rows: Iterable[NumberedRow]) -> bool:
    if not {one.column("label"), "label"}.isdisjoint(columns):
        values = (row.get(_column(one, row, "label")) for _, row in rows)
        return isinstance(next((value for value in values if value is not None), None), list)
    return True


def _several(one: EvaluationSet, row: Mapping[str, Any]) -> tuple[str, ...]:
    role = "labels" if _column(one, row, "labels") in row else "label"
    column = _column(one, row, role)
    value = row.get(column)
    if isinstance(value, str):
        value = _listed(value)
    if not isinstance(value, list):
        raise DataError(f"column {column!r} must hold a list of labels, got {value!r}")
    if not all(str(label).strip() for label in value):
        raise DataError(f"column {column!r} holds a label without a name: {value!r}")
    return tuple(dict.fromkeys(one.label_values.get(str(label), str(label)) for label in value))


def _listed(text: str) -> list[Any]:
    if not text.lstrip().startswith("["):
        names = next(csv.reader([text], skipinitialspace=True), [])
        return [name.strip() for name in names if name.strip()]
    try:
        return list(json.loads(text))
    except ValueError:
        raise DataError(f"labels {text!r} is neither a list nor names between commas") from None


def _capped(rows: Sequence[LabelledRow], maximum: int | None) -> Sequence[LabelledRow]:
    if maximum is None:
        return rows
    places_of: dict[str, list[int]] = defaultdict(list)
    uncapped: list[int] = []
    for place, row in enumerate(rows):
        (places_of[row.label] if isinstance(row, LabelledText) else uncapped).append(place)
    kept = sorted([*uncapped, *(place for places in places_of.values() for place in spread(places, maximum))])
    return [rows[place] for place in kept]

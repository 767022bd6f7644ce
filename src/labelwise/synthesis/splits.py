"""Split rows so that validation and test ask for labels that training never saw."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from labelwise.errors import InputError
from labelwise.synthesis.rows import label_key

__all__ = ["DEFAULT_HELD_OUT_SHARE", "LabelSplit", "split_by_label"]

# The share of the GliZNet data: 2 % over three splits.
DEFAULT_HELD_OUT_SHARE: Final = 0.02 / 3

Row = TypeVar("Row", bound=Mapping[str, Any])


@dataclass(frozen=True, slots=True)
class LabelSplit(Generic[Row]):
    """Every row once, in input order within each part.

    Attributes:
        train: rows that mention no held-out label.
        validation: rows of which a validation label is true; they mention no test label.
        test: rows of which a test label is true.
        dropped: rows that mention a held-out label and belong nowhere.
        validation_labels: labels held out for validation, as ``label_key`` spells them.
        test_labels: labels held out for the test, as ``label_key`` spells them.
    """

    train: tuple[Row, ...]
    validation: tuple[Row, ...]
    test: tuple[Row, ...]
    dropped: tuple[Row, ...]
    validation_labels: frozenset[str]
    test_labels: frozenset[str]


def split_by_label(
    rows: Sequence[Row], *, held_out_share: float = DEFAULT_HELD_OUT_SHARE, seed: int = 0
) -> LabelSplit[Row]:
    """Hold out a share of the distinct true labels for validation, and as many others for the test.

    A row mentions a label when it has it in ``labels`` or in ``not_labels``; spellings that differ in case,
    white space or underscores are one label. The labels are drawn from the set of labels: neither the order
    of the rows nor how often a label occurs matters.

    Args:
        rows: each with ``labels`` and, optionally, ``not_labels``; texts should be distinct.
        held_out_share: of the distinct true labels, for each of the two parts; at least one label.
        seed: which labels are drawn.

    Raises:
        InputError: the share is not between 0 and 0.5, or there are too few labels.

    >>> rows = [{"text": name, "labels": [name], "not_labels": []} for name in ("tea", "rain", "chess")]
    >>> split = split_by_label(rows)
    >>> len(split.train), len(split.validation), len(split.test)
    (1, 1, 1)
    """
    if not 0 < held_out_share < 0.5:
        raise InputError(f"held_out_share is {held_out_share}: give a number between 0 and 0.5")
    distinct = sorted({key for row in rows for key in _keys(row, "labels")})
    num_held_out = max(1, math.floor(held_out_share * len(distinct)))
    if len(distinct) <= 2 * num_held_out:
        raise InputError(f"only {len(distinct)} distinct true labels: give rows with at least 3")
    drawn = random.Random(seed).sample(distinct, 2 * num_held_out)
    validation_labels, test_labels = frozenset(drawn[:num_held_out]), frozenset(drawn[num_held_out:])
    parts: dict[str, list[Row]] = {"train": [], "validation": [], "test": [], "dropped": []}
    for row in rows:
        parts[_part(row, validation_labels, test_labels)].append(row)
    return LabelSplit(
        train=tuple(parts["train"]),
        validation=tuple(parts["validation"]),
        test=tuple(parts["test"]),
        dropped=tuple(parts["dropped"]),
        validation_labels=validation_labels,
        test_labels=test_labels,
    )


def _part(row: Mapping[str, Any], validation_labels: frozenset[str], test_labels: frozenset[str]) -> str:
    true = _keys(row, "labels")
    mentioned = true | _keys(row, "not_labels")
    if true & test_labels:
        return "test"
    if mentioned & test_labels:
        return "dropped"
    if true & validation_labels:
        return "validation"
    return "dropped" if mentioned & validation_labels else "train"


def _keys(row: Mapping[str, Any], name: str) -> set[str]:
    labels: Iterable[str] = row.get(name) or ()
    if isinstance(labels, str):
        raise InputError(f"{name} of a row is the string {labels!r:.60}: give a list of labels")
    return {label_key(label) for label in labels}

"""Rows for joint models: read, cleaned, joined where a text comes twice, and split by label."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labelwise.errors import DataError
from labelwise.synthesis.rows import label_key, text_key
from labelwise.synthesis.splits import split_by_label
from labelwise.training.labels.recipe import TextSource
from labelwise.training.records import LabelledText, Layout, read_labelled_texts

__all__ = ["CleanRows", "held_out_rows", "read_label_rows"]


@dataclass(frozen=True, slots=True)
class CleanRows:
    """Usable rows, each text once.

    Attributes:
        rows: in order.
        left_out: one line for each row that was left out.
        paths: key of a text to the files that it came from.
    """

    rows: tuple[LabelledText, ...]
    left_out: tuple[str, ...]
    paths: Mapping[str, frozenset[str]]

    def count_by_path(self, rows: Iterable[LabelledText]) -> dict[str, int]:
        """Return how many of these rows each file has; one that is in two files counts for both."""
        return dict(Counter(path for row in rows for path in sorted(self.paths[text_key(row.text)])))


def read_label_rows(
    sources: Sequence[TextSource], data_dir: Path, *, min_label_characters: int, seed: int
) -> CleanRows:
    """Read files of texts with labels, and draw where a source says how many.

    Labels are stripped, short ones dropped. A text that comes twice keeps the union of its labels, and what
    is true in one row is not false in another.

    Raises:
        DataError: a file cannot be read, or nothing usable is left.
        InputError: a file lacks a column that its source names.
    """
    by_text: dict[str, LabelledText] = {}
    paths: dict[str, frozenset[str]] = {}
    left_out: list[str] = []
    for source in sources:
        found = read_labelled_texts(data_dir / source.path, layout=Layout(source.columns, source.label_names))
        left_out += map(str, found.bad_rows)
        for row in _drawn(found.rows, source, seed):
            key = text_key(row.text)
            clean = _cleaned([row, *([by_text[key]] if key in by_text else [])], min_label_characters)
            if clean is None:
                left_out.append(
                    f"{source.path} {row.text[:40]!r}: no label of at least {min_label_characters} characters"
                )
            else:
                by_text[key] = clean
                paths[key] = paths.get(key, frozenset()) | {source.path}
    if not by_text:
        named = ", ".join(source.path for source in sources)
        raise DataError(f"no usable row in {named} (first: {left_out[0]})")
    return CleanRows(tuple(by_text.values()), tuple(left_out), paths)


def held_out_rows(
    rows: Sequence[LabelledText], *, share: float, seed: int
) -> tuple[tuple[LabelledText, ...], tuple[LabelledText, ...], int]:
    """Split rows into training and validation, whose held-out labels no training row mentions.

    The rows that ``split_by_label`` keeps for a test are left out of both: they stay unseen. The third value
    counts the labels held out for validation.

    Raises:
        InputError: there are too few labels, or the share is not between 0 and 0.5.
        DataError: no row is left for training.
    """
    plain: list[dict[str, Any]] = [
        {"place": place, "labels": row.labels, "not_labels": row.not_labels} for place, row in enumerate(rows)
    ]
    split = split_by_label(plain, held_out_share=share, seed=seed)
    if not split.train or not split.validation:
        raise DataError(
            f"holding {share:.2%} of the labels out leaves {len(split.train)} rows to train on and "
            f"{len(split.validation)} to validate: change held_out_share or name a validation file"
        )
    train, validation = (
        tuple(rows[row["place"]] for row in part) for part in (split.train, split.validation)
    )
    return train, validation, len(split.validation_labels)


def _drawn(rows: Sequence[LabelledText], source: TextSource, seed: int) -> Sequence[LabelledText]:
    if source.max_rows is None or source.max_rows >= len(rows):
        return rows
    generator = random.Random(f"label rows:{seed}:{source.path}")
    return [rows[place] for place in sorted(generator.sample(range(len(rows)), source.max_rows))]


def _cleaned(copies: Sequence[LabelledText], min_characters: int) -> LabelledText | None:
    true = _distinct((label for row in copies for label in row.labels), min_characters)
    false = _distinct((label for row in copies for label in row.not_labels), min_characters)
    not_labels = tuple(label for key, label in false.items() if key not in true)
    if not true and not not_labels:
        return None
    return LabelledText(copies[-1].text, tuple(true.values()), not_labels)


def _distinct(labels: Iterable[str], min_characters: int) -> dict[str, str]:
    first_spelling: dict[str, str] = {}
    for label in map(str.strip, labels):
        if len(label) >= min_characters:
            first_spelling.setdefault(label_key(label), label)
    return first_spelling

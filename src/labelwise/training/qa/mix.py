"""The questions of a run: every source read, held-out contexts set apart, negatives made on both sides."""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labelwise.errors import DataError
from labelwise.training.qa.edited import edited_negatives
from labelwise.training.qa.examples import (
    FoundExamples,
    QaExample,
    check_questions,
    joined,
    read_qa_files,
)
from labelwise.training.qa.hub import hub_questions
from labelwise.training.qa.negatives import paired_negatives
from labelwise.training.qa.recipe import QaRecipe, QaSource
from labelwise.training.records import BadRow

__all__ = ["QaMix", "read_mix"]

log = logging.getLogger("labelwise.training")
_NAMED_ROWS = 20


@dataclass(frozen=True, slots=True)
class QaMix:
    """What is trained and validated on.

    Attributes:
        train: examples of all sources in recipe order, negatives after each source's own.
        repeats: how often an epoch reads each of them.
        validation: with ids of their own.
        counts: for the run's report.
    """

    train: tuple[QaExample, ...]
    repeats: tuple[int, ...]
    validation: tuple[QaExample, ...]
    counts: dict[str, Any]


def read_mix(recipe: QaRecipe, data_dir: Path) -> QaMix:
    """Read a recipe's sources.

    Contexts are held out whole, so that no validation question has a paragraph that was trained on.

    Raises:
        DataError: a source cannot be read or has no usable row, or nothing is left to train or validate on.
    """
    found = [_read(source, data_dir, recipe.seed) for source in recipe.sources]
    held_out = frozenset() if recipe.validation else _held_out(found, recipe.held_out_share, recipe.seed)
    train: list[QaExample] = []
    repeats: list[int] = []
    validation: list[QaExample] = []
    per_source: list[dict[str, Any]] = []
    for source, part in zip(recipe.sources, found, strict=True):
        kept = [example for example in part.examples if example.context not in held_out]
        examples = _with_negatives(kept, source, recipe.seed)
        train += examples
        repeats += [source.repeats] * len(examples)
        apart = [example for example in part.examples if example.context in held_out]
        validation += _with_negatives(apart, source, recipe.seed)
        per_source.append(_count(source, examples, part))
    checked = [_read(source, data_dir, recipe.seed) for source in recipe.validation]
    for source, part in zip(recipe.validation, checked, strict=True):
        validation += _with_negatives(part.examples, source, recipe.seed)
    left_out = [row for part in (*found, *checked) for row in part.left_out]
    _name(left_out)
    drawn = _drawn(joined([FoundExamples(tuple(validation))]).examples, recipe)
    if not train or not drawn:
        raise DataError(
            f"{len(train)} questions are left to train on and {len(drawn)} to validate: change "
            "held_out_share, or name validation sets"
        )
    counts = {
        "train_questions": len(train),
        "train_unanswerable": sum(example.is_impossible for example in train),
        "validation_questions": len(drawn),
        "rows_left_out": len(left_out),
        "first_rows_left_out": [str(row) for row in left_out[:_NAMED_ROWS]],
        "answers_moved": sum(part.num_repaired for part in (*found, *checked)),
        "sources": per_source,
    }
    return QaMix(tuple(train), tuple(repeats), drawn, counts)


def _read(source: QaSource, data_dir: Path, seed: int) -> FoundExamples:
    if source.path is not None:
        found = read_qa_files([data_dir / source.path])
    else:
        raw = hub_questions(source.name, split=source.split, revision=source.revision, subset=source.subset)
        found = joined([check_questions(raw, file=source.name)])
        if not found.examples:
            raise DataError(f"the data set {source.name!r} has no usable row in its split {source.split!r}")
    if source.max_questions is None or len(found.examples) <= source.max_questions:
        return found
    generator = random.Random(f"questions:{seed}:{source.name}")
    places = sorted(generator.sample(range(len(found.examples)), source.max_questions))
    return FoundExamples(tuple(found.examples[place] for place in places), found.left_out, found.num_repaired)


def _held_out(found: Sequence[FoundExamples], share: float, seed: int) -> frozenset[str]:
    contexts = tuple(dict.fromkeys(example.context for part in found for example in part.examples))
    number = min(len(contexts) - 1, max(1, round(share * len(contexts))))
    return frozenset(random.Random(f"held out:{seed}").sample(contexts, number))


def _with_negatives(examples: Sequence[QaExample], source: QaSource, seed: int) -> list[QaExample]:
    paired = paired_negatives(examples, share=source.negatives_share, seed=seed)
    return [*examples, *paired, *edited_negatives(examples, share=source.edited_share, seed=seed)]


def _drawn(examples: Sequence[QaExample], recipe: QaRecipe) -> tuple[QaExample, ...]:
    if len(examples) <= recipe.validation_questions:
        return tuple(examples)
    generator = random.Random(f"validation:{recipe.seed}")
    places = sorted(generator.sample(range(len(examples)), recipe.validation_questions))
    return tuple(examples[place] for place in places)


def _count(source: QaSource, examples: Sequence[QaExample], found: FoundExamples) -> dict[str, Any]:
    unanswerable = sum(example.is_impossible for example in examples)
    log.info(
        "%7d questions from %s, %d of them unanswerable, %d rows left out",
        len(examples),
        source.name,
        unanswerable,
        len(found.left_out),
    )
    return {
        "name": source.name,
        "questions": len(examples),
        "unanswerable": unanswerable,
        "rows_left_out": len(found.left_out),
        "answers_moved": found.num_repaired,
    }


def _name(left_out: Sequence[BadRow]) -> None:
    for row in left_out[:_NAMED_ROWS]:
        log.warning("left out: %s", row)
    if len(left_out) > _NAMED_ROWS:
        log.warning("left out: %d rows in all", len(left_out))

"""Measure a model on one set of a protocol, whatever its task."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from labelwise.errors import InputError, TaskNotSupportedError
from labelwise.evaluation.labelled import LabelledPair, LabelledRow, LabelledText, SeveralLabels
from labelwise.evaluation.outcome import Evaluation
from labelwise.evaluation.protocols import EvaluationSet
from labelwise.evaluation.ranking import RankingQuery
from labelwise.evaluation.several_labels import evaluate_several_labels
from labelwise.evaluation.squad_file import SquadQuestion
from labelwise.evaluation.zero_shot import (
    evaluate_answers,
    evaluate_classification,
    evaluate_entailment,
    evaluate_rankings,
)

__all__ = ["measure", "scored_labels"]

OnProgress = Callable[[int, int], None]


def measure(
    model: Any,
    one: EvaluationSet,
    rows: Sequence[LabelledRow],
    *,
    classify_settings: Mapping[str, Any] | None = None,
    on_progress: OnProgress | None = None,
) -> Evaluation:
    """Run a model over the rows of a set and measure it.

    Args:
        model: a labelwise model or a peer: has ``tasks`` and the verb of the set's task.
        one: the set; says how its labels are asked.
        rows: as read by ``labelled_rows``, or SQuAD questions.
        classify_settings: keyword arguments of ``classify``; a template in them goes before the set's.
        on_progress: called with (pairs done, pairs in all).

    Raises:
        TaskNotSupportedError: the model cannot do the task.
        DataError: the rows cannot be measured.
    """
    if one.task not in model.tasks:
        raise TaskNotSupportedError(f"the model cannot {one.task}: it can {', '.join(sorted(model.tasks))}")
    if one.task == "rank":
        return evaluate_rankings(model, cast("Sequence[RankingQuery]", rows), on_progress=on_progress)
    if one.task == "answer":
        return evaluate_answers(model, cast("Sequence[SquadQuestion]", rows), on_progress=on_progress)
    if one.task == "entail":
        pairs = cast("Sequence[LabelledPair]", rows)
        return evaluate_entailment(
            model,
            [(row.premise, row.hypothesis) for row in pairs],
            [row.label for row in pairs],
            is_binary=one.is_binary,
            on_progress=on_progress,
        )
    return _measure_texts(
        model,
        one,
        cast("Sequence[LabelledText | SeveralLabels]", rows),
        dict(classify_settings or {}),
        on_progress,
    )


def _measure_texts(
    model: Any,
    one: EvaluationSet,
    rows: Sequence[LabelledText | SeveralLabels],
    settings: dict[str, Any],
    on_progress: OnProgress | None,
) -> Evaluation:
    if settings.get("hypothesis_template") is None:
        settings["hypothesis_template"] = one.template
    asked: dict[str, Any] = {
        "labels": scored_labels(one, rows),
        "excluded": one.excluded,
        "on_progress": on_progress,
    }
    texts = [row.text for row in rows]
    # Labels compete unless a row has several of them or it is wished otherwise.
    is_multi_label = settings.pop("multi_label", False)
    if not is_multi_label and all(isinstance(row, LabelledText) for row in rows):
        if "threshold" in settings:
            raise InputError("a threshold judges labels one by one: ask for that with --multi-label too")
        gold = [label for row in rows for label in _labels_of(row)]
        return evaluate_classification(model, texts, gold, **asked, **settings)
    if "multi_label" not in inspect.signature(model.classify).parameters:
        raise TaskNotSupportedError("this system only lets labels compete: it cannot be measured by several")
    return evaluate_several_labels(model, texts, [_labels_of(row) for row in rows], **asked, **settings)


def _labels_of(row: LabelledText | SeveralLabels) -> tuple[str, ...]:
    return (row.label,) if isinstance(row, LabelledText) else row.labels


def scored_labels(one: EvaluationSet, rows: Sequence[LabelledText | SeveralLabels]) -> Mapping[str, str]:
    """Return label -> what is scored: the set's own labels, or those that occur, in sorted order."""
    found = sorted({label for row in rows for label in _labels_of(row)} - set(one.excluded))
    return one.labels or {label: label for label in found}

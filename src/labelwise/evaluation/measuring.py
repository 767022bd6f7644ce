"""Measure a model on one set of a protocol, whatever its task."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from labelwise.errors import TaskNotSupportedError
from labelwise.evaluation.labelled import LabelledPair, LabelledRow, LabelledText
from labelwise.evaluation.outcome import Evaluation
from labelwise.evaluation.protocols import EvaluationSet
from labelwise.evaluation.ranking import RankingQuery
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
    texts = cast("Sequence[LabelledText]", rows)
    settings = dict(classify_settings or {})
    if settings.get("hypothesis_template") is None:
        settings["hypothesis_template"] = one.template
    return evaluate_classification(
        model,
        [row.text for row in texts],
        [row.label for row in texts],
        labels=scored_labels(one, texts),
        excluded=one.excluded,
        on_progress=on_progress,
        **settings,
    )


def scored_labels(one: EvaluationSet, rows: Sequence[LabelledText]) -> Mapping[str, str]:
    """Return label -> what is scored: the set's own labels, or those that occur, in sorted order."""
    found = sorted({row.label for row in rows} - set(one.excluded))
    return one.labels or {label: label for label in found}

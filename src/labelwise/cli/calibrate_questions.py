"""What ``labelwise calibrate`` does with questions: fit when to say that there is no answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from labelwise.errors import DataError

if TYPE_CHECKING:
    from labelwise.model import Model

__all__ = ["calibrate_answers", "holds_questions"]


def holds_questions(path: Path) -> bool:
    """Return True for SQuAD files, and for passages with questions."""
    from labelwise.files import RowSource

    if path.name.endswith((".json", ".json.gz")):
        return True
    return not {"qa", "unanswerable"}.isdisjoint(RowSource.at(path).column_names() or ())


def calibrate_answers(
    model: Model, path: Path, *, least_rows: int, limit: int | None, seed: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Fit the null threshold on half of the questions; return the report of the others and what was fitted.

    Raises:
        DataError: the file cannot be read, or has too few questions.
        InputError: all questions are of one kind, or are too hard for the model.
    """
    from labelwise.calibration.fitting import split_in_halves
    from labelwise.training.qa.answered import AnsweredQuestions, answer_questions
    from labelwise.training.qa.examples import read_qa_files

    found = read_qa_files([path])
    examples = found.examples
    if limit is not None and limit < len(examples):
        examples = tuple(examples[place * len(examples) // limit] for place in range(limit))
    if len(examples) < least_rows:
        raise DataError(
            f"{path} has {len(examples)} questions: a calibration needs at least {least_rows}, better some "
            "hundreds"
        )
    inputs = [(example.question, example.context) for example in examples]
    halves = split_in_halves(inputs, [example.is_impossible for example in examples], seed=seed)
    answered = answer_questions(model, [example.to_question() for example in examples])
    fitted, held_out = (answered.at(places) for places in halves)
    before = model.checkpoint.settings.null_threshold
    after = fitted.fit()

    def measured(questions: AnsweredQuestions, null_threshold: float) -> dict[str, Any]:
        return questions.measures(null_threshold) | questions.reliability(null_threshold)

    report = {
        "task": "answer",
        "rows_fitted": len(fitted.questions),
        "rows_held_out": len(held_out.questions),
        "rows_left_out": len(found.left_out),
        "before": measured(held_out, before),
        "after": measured(held_out, after),
    }
    return report, {"null_threshold": after}

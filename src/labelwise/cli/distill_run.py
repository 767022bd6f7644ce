"""One run of ``labelwise distill``: cut the student, fine-tune it if asked to, compare, and write it down."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labelwise.cli.distill_options import MeasureOptions, TuningOptions, VocabularyOptions
from labelwise.cli.train_options import FitOptions, PublishOptions, prepare
from labelwise.errors import DataError, InputError

if TYPE_CHECKING:
    from labelwise.cli.distill_report import LabelledSet
    from labelwise.distillation.plan import StudentPlan
    from labelwise.training.recipe import NliRecipe

__all__ = ["DistillRun", "Outcome"]

_PLAN_FILE = "distillation.json"
_REPORT_FILE = "report.json"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run found: for JSON, and for people."""

    report: dict[str, Any]
    lines: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DistillRun:
    """What is made of a teacher's folder, and how."""

    folder: Path
    plan: StudentPlan
    output: Path
    vocabulary: VocabularyOptions
    tuning: TuningOptions
    fit: FitOptions
    measuring: MeasureOptions

    def cut(self) -> Outcome:
        """Write the student into ``output``, and compare it with its teacher where rows were given."""
        test = self._labelled_rows()
        trimmed = self._write(self.output)
        systems = {"teacher": self.folder, "student": self.output}
        return self._finished(trimmed, systems, test, model=self.output)

    def fine_tune(self, recipe_file: Path, data_dir: Path) -> Outcome | None:
        """Write the student into ``output/student`` and train it; ``output/model`` is the result.

        Returns:
            What was found; None in all but the first of several processes.
        """
        prepare(self.fit, PublishOptions())
        from labelwise.training.distilling import fine_tune_student
        from labelwise.training.recipe import load_recipe
        from labelwise.training.run_folder import is_first_process

        recipe = load_recipe(recipe_file)
        lessons = self.tuning.lessons()
        test = self._labelled_rows() or _validation_rows(recipe, data_dir, self.measuring.limit)
        student = self.output / "student"
        trimmed = self._write_once(student)
        model = fine_tune_student(
            recipe,
            student,
            data_dir=data_dir,
            output_dir=self.output,
            lessons=lessons,
            resume=self.tuning.resume,
            **self.fit.arguments(),
        )
        if not is_first_process():
            return None
        systems = {"teacher": self.folder, "student": student, "fine-tuned student": model}
        signal = self.tuning.teacher
        if signal is not None and signal.resolve() != self.folder.resolve():
            systems["teacher of the signal"] = signal
        return self._finished(trimmed, systems, test, model=model)

    def _labelled_rows(self) -> LabelledSet | None:
        from labelwise.cli.distill_report import LabelledSet

        if self.measuring.labelled is None:
            return None
        return LabelledSet.of_file(self.measuring.labelled, limit=self.measuring.limit)

    def _write_once(self, student: Path) -> dict[str, Any]:
        from labelwise.training.run_folder import num_processes

        if self.tuning.resume and student.is_dir():
            return self._stored(student)
        if student.exists():
            raise DataError(f"{self.output} holds a run already: give --resume or another --output")
        if num_processes() > 1:
            raise InputError(
                "several processes must not write one student: make it first, by the same flags for layers "
                f"and vocabulary with --output {student}, then start this command with --resume"
            )
        return self._write(student)

    def _stored(self, student: Path) -> dict[str, Any]:
        """Return what the trimming of an earlier start said, if it made the same student."""
        from labelwise.checkpoints.json_file import read_json_object

        stored = read_json_object(student / _PLAN_FILE)
        trimmed: dict[str, Any] = stored.get("vocabulary", {})
        is_trimmed = self.vocabulary.trim_vocabulary is not None
        if stored["kept_layers"] != self.plan.to_dict()["kept_layers"] or bool(trimmed) != is_trimmed:
            raise InputError(
                f"{student} is another student than these flags make: --resume needs the flags of the start"
            )
        return _with_saving(trimmed)

    def _write(self, student: Path) -> dict[str, Any]:
        from labelwise.distillation.shrink import shrink
        from labelwise.distillation.vocabulary import read_texts, trim_vocabulary

        texts, held_out = self.vocabulary.trim_vocabulary, self.vocabulary.held_out
        if texts is None:
            shrink(self.folder, self.plan, output=student)
            return {}
        other = read_texts(held_out) if held_out is not None else []
        found = trim_vocabulary(
            self.folder, read_texts(texts), output=student, plan=self.plan, held_out=other
        )
        return _with_saving(found.to_dict())

    def _finished(
        self, trimmed: dict[str, Any], systems: dict[str, Path], test: LabelledSet | None, *, model: Path
    ) -> Outcome:
        report: dict[str, Any] = {"output": str(model), **trimmed}
        lines = [f"{name.replace('_', ' ')}  {value}" for name, value in trimmed.items()]
        metrics_file = self.output / "metrics.json"
        if self.tuning.fine_tune is not None:
            metrics = json.loads(metrics_file.read_text(encoding="utf-8"))
            report["fine_tuning"] = {key: value for key, value in metrics.items() if key != "curve"}
        if test is not None:
            from labelwise.cli.distill_report import compare

            comparison = compare(systems, test)
            report |= comparison.to_dict()
            lines += comparison.lines()
        whole = json.dumps({**self.plan.to_dict(), **report}, indent=2, ensure_ascii=False)
        (self.output / _REPORT_FILE).write_text(whole + "\n", encoding="utf-8")
        what = "student" if self.tuning.fine_tune is None else "fine-tuned student"
        lines.append(f"{what} written to {model}, report to {self.output / _REPORT_FILE}")
        return Outcome(report, lines)


def _validation_rows(recipe: NliRecipe, data_dir: Path, limit: int | None) -> LabelledSet:
    from labelwise.cli.distill_report import LabelledSet

    return LabelledSet.of_recipe(recipe, data_dir, limit=limit)


def _with_saving(trimmed: dict[str, Any]) -> dict[str, Any]:
    if not trimmed:
        return {}
    return {**trimmed, "bytes_saved": trimmed["bytes_before"] - trimmed["bytes_after"]}

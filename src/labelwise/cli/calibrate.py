"""``labelwise calibrate``: make scores mean what they say, and show on held-out rows that they do."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from labelwise.cli import options
from labelwise.cli.calibrate_questions import calibrate_answers, holds_questions
from labelwise.cli.calibrate_rows import CalibrationRows, read_texts
from labelwise.cli.calibrate_warnings import loss_warnings, temperature_warnings
from labelwise.cli.columns import ColumnOptions
from labelwise.cli.expand import expand_flags
from labelwise.cli.labelled_file import LeftOut
from labelwise.errors import DataError, InputError

if TYPE_CHECKING:
    from labelwise.calibration.fitting import ScoredRows
    from labelwise.checkpoints.settings import CheckpointSettings
    from labelwise.model import Model

__all__ = ["calibrate"]

_MIN_ROWS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedModel(options.ModelOptions):
    """The model to calibrate, named first, and how it runs."""

    model: Annotated[str, typer.Argument(help="'bundled', a folder, or a hub id.")] = "bundled"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelOptions:
    """What the labels are and how they are asked for; of no use for pairs."""

    labels: Annotated[
        str | None, typer.Option(help="The closed set of labels; left out: all labels of the file.")
    ] = None
    labels_file: Annotated[Path | None, typer.Option(help="The same from a file.")] = None
    multi_label: Annotated[
        bool, typer.Option("--multi-label", help="Judge each label by itself; so does a 'labels' column.")
    ] = False
    none_label: Annotated[
        str | None, typer.Option(help="The label of rows that none of the other labels fits.")
    ] = None
    hypothesis_template: Annotated[
        str | None, typer.Option(help="A sentence with one {}, where the label goes; saved with the numbers.")
    ] = None

    def named(self) -> list[str] | None:
        """Return the labels that were typed, or None."""
        from labelwise.cli.reading import read_labels

        if self.labels is None and self.labels_file is None:
            return None
        read = read_labels(self.labels, self.labels_file)
        if not isinstance(read, list) or not all(isinstance(label, str) for label in read):
            raise InputError("calibrate needs a plain list of labels, without descriptions or a hierarchy")
        return list(read)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """The model, its settings as they are, and what the run may read of each file."""

    model: Model
    labels: LabelOptions
    columns: ColumnOptions
    limit: int | None
    seed: int

    @property
    def settings(self) -> CheckpointSettings:
        return self.model.checkpoint.settings


@dataclass(frozen=True, slots=True)
class _Halves:
    """Scored rows to fit on and to judge by, the inputs of the latter, and rows that could not be used."""

    fitted: ScoredRows
    held_out: ScoredRows
    judged: frozenset[Hashable]
    left_out: LeftOut


@expand_flags
def calibrate(
    model: CalibratedModel,
    rows: Annotated[
        Path | None,
        typer.Argument(
            help="Labelled rows (.csv .tsv .jsonl .parquet): text, label(s), or pairs; or questions: SQuAD "
            ".json, or .jsonl with text, qa, unanswerable."
        ),
    ] = None,
    unlabelled: Annotated[
        Path | None, typer.Option(help="Texts without labels: take back what the model favours unread.")
    ] = None,
    prior_strength: Annotated[
        float, typer.Option(help="How much of that: 1 if labels are equally frequent, 0.5 if not known.")
    ] = 0.5,
    to: Annotated[
        Path | None, typer.Option(help="Save into this .json file; for hub ids and the bundled model.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the figures and save nothing.")] = False,
    limit: Annotated[
        int | None, typer.Option(help="Read that many rows of each file, spread over it evenly.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Which half of the rows is held out.")] = 0,
    json_output: options.JsonOutput = False,
    *,
    columns: ColumnOptions,
    labels: LabelOptions,
) -> None:
    """Fit a temperature, thresholds and label biases, and save them beside the model.

    Half of the rows is fitted; the figures before and after come from the other half. On questions, what is
    fitted is the null threshold: when to say that there is no answer. A temperature that is of no use is not
    saved, and rows that cannot be used are named and counted.

    Example: labelwise calibrate my-model dev.csv

    Example: labelwise calibrate my-reader dev-questions.json

    Example: labelwise calibrate bundled dev.jsonl --unlabelled mails.txt --to mails.json
    """
    from labelwise.evaluation.report_table import render_json

    if rows is None and unlabelled is None:
        raise InputError("give ROWS with labels, or --unlabelled FILE with --labels")
    if limit is not None and limit < 1:
        raise InputError(f"--limit must be at least 1, got {limit}")
    place = None if dry_run else _place(model.model, to)
    work = _Work(model=model.load(), labels=labels, columns=columns, limit=limit, seed=seed)
    report, values = _fit(work, rows, unlabelled, prior_strength)
    for warning in report.get("warnings", ()):
        typer.echo(f"labelwise: warning: {warning}", err=True)
    if not _has_numbers(values):
        place = None
    if place is not None:
        from labelwise.calibration.saved import save_calibration

        save_calibration(place, **values)
    saved = None if place is None else str(place)
    report |= {"model": model.model, "fitted": values, "saved_to": saved}
    typer.echo(render_json(report) if json_output else _shown(report, is_dry_run=dry_run))


def _place(ref: str, to: Path | None) -> Path:
    """Say where the numbers go, before the work begins."""
    if to is not None:
        if to.suffix != ".json" or to.is_dir():
            raise InputError(f"--to {str(to)!r} must be a file that ends in .json")
        return to
    folder = Path(ref)
    if ref == "bundled" or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise InputError(f"{ref!r} is not a folder that can be written: give --to FILE.json, or --dry-run")
    return folder


def _has_numbers(values: Mapping[str, Any]) -> bool:
    """Say whether something was fitted: a template by itself calibrates nothing."""
    return not values.keys() <= {"hypothesis_template"}


def _fit(
    work: _Work, rows: Path | None, unlabelled: Path | None, prior_strength: float
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the report and what is to be saved."""
    from labelwise.calibration.fitting import fit_scores

    if rows is not None and holds_questions(rows):
        if unlabelled is not None:
            raise InputError("--unlabelled corrects labels that compete: leave it out for questions")
        return calibrate_answers(work.model, rows, least_rows=_MIN_ROWS, limit=work.limit, seed=work.seed)
    template = work.labels.hypothesis_template
    values: dict[str, Any] = {} if template is None else {"hypothesis_template": template}
    halves = None if rows is None else _halves(work, rows)
    report: dict[str, Any] = {"task": "classify" if halves is None else halves.fitted.kind}
    if halves is not None:
        values |= fit_scores(halves.fitted, work.settings)
    if unlabelled is not None:
        biases, left_out = _biases(work, unlabelled, halves, work.settings.updated(**values), prior_strength)
        values["label_biases"] = biases
        report["unlabelled_rows_left_out"] = len(left_out.rows)
        if halves is not None:
            # A none label is judged after the biases, so its own has to follow them.
            values |= fit_scores(halves.fitted, work.settings.updated(label_biases=biases))
    if halves is not None:
        report |= _before_and_after(halves, work.settings, values)
    return report, values


def _before_and_after(
    halves: _Halves, settings: CheckpointSettings, values: Mapping[str, Any]
) -> dict[str, Any]:
    before = _measure(halves.held_out, settings)
    after = _measure(halves.held_out, settings.updated(**values))
    warnings = temperature_warnings(halves.fitted, settings)
    if _has_numbers(values):
        warnings += loss_warnings(before["nll"], after["nll"])
    return {
        "rows_fitted": len(halves.fitted.gold),
        "rows_held_out": len(halves.held_out.gold),
        **halves.left_out.to_dict(),
        "warnings": warnings,
        "before": before,
        "after": after,
    }


def _biases(
    work: _Work, unlabelled: Path, halves: _Halves | None, settings: CheckpointSettings, strength: float
) -> tuple[dict[str, float], LeftOut]:
    from labelwise.calibration.fitting import fit_biases

    labels = _competing(work, None if halves is None else halves.fitted)
    texts, left_out = read_texts(unlabelled, work.columns.text_column, limit=work.limit)
    judged = frozenset() if halves is None else halves.judged
    biases = fit_biases(
        work.model,
        [text for text in texts if text not in judged],
        labels=labels,
        settings=settings,
        hypothesis_template=work.labels.hypothesis_template,
        strength=strength,
    )
    return biases, left_out


def _competing(work: _Work, scored: ScoredRows | None) -> Sequence[str]:
    if scored is not None and scored.kind != "classify":
        raise InputError(
            "--unlabelled corrects labels that compete: leave it out for pairs and with --multi-label, where "
            "each label has a threshold of its own"
        )
    named = work.labels.named() if scored is None else list(scored.labels)
    if named is None:
        raise InputError("--unlabelled without labelled rows needs --labels or --labels-file")
    return named


def _halves(work: _Work, path: Path) -> _Halves:
    """Read labelled rows, score them and split them."""
    from labelwise.calibration.fitting import split_in_halves

    found = CalibrationRows.read(path, work.columns, limit=work.limit)
    if len(found) < _MIN_ROWS:
        raise DataError(
            f"{path} has {len(found)} rows: a calibration needs at least {_MIN_ROWS}, better some hundreds"
        )
    scored = _scored(work, found)
    inputs = found.inputs
    fitted, held_out = split_in_halves(inputs, scored.gold.tolist(), seed=work.seed)
    judged = frozenset(inputs[place] for place in held_out)
    return _Halves(scored.at(fitted), scored.at(held_out), judged, found.left_out)


def _scored(work: _Work, found: CalibrationRows) -> ScoredRows:
    from labelwise.calibration.fitting import score_pairs, score_texts

    if found.pairs:
        pairs = [(row.premise, row.hypothesis) for row in found.pairs]
        return score_pairs(work.model, pairs, [row.label for row in found.pairs])
    none_label = work.labels.none_label
    occurring = sorted({label for labels in found.gold for label in labels})
    return score_texts(
        work.model,
        [row.text for row in found.texts],
        found.gold,
        labels=[label for label in work.labels.named() or occurring if label != none_label],
        multi_label=found.have_several_labels or work.labels.multi_label,
        none_label=none_label,
        hypothesis_template=work.labels.hypothesis_template,
    )


def _measure(scored: ScoredRows, settings: CheckpointSettings) -> dict[str, Any]:
    from labelwise.calibration.fitting import probabilities, thresholds_of
    from labelwise.evaluation.classification import evaluate_multi_label, evaluate_single_label
    from labelwise.evaluation.reliability import evaluate_reliability

    scores = probabilities(scored, settings)
    reliability = evaluate_reliability(scores, scored.gold).to_dict()
    if scored.kind == "multi_label":
        accepted = scores >= thresholds_of(settings, scored.labels)
        report = evaluate_multi_label(scored.gold.astype(bool), accepted, labels=scored.columns)
        right = {"exact_match": report.exact_match, "micro_f1": report.micro.f1, "macro_f1": report.macro.f1}
        return right | reliability
    gold = [scored.columns[place] for place in scored.gold.tolist()]
    best = [scored.columns[place] for place in scores.argmax(axis=1).tolist()]
    single = evaluate_single_label(gold, best, labels=scored.columns)
    return {"accuracy": single.accuracy, "macro_f1": single.macro.f1} | reliability


def _shown(report: Mapping[str, Any], *, is_dry_run: bool) -> str:
    from labelwise.evaluation.report_table import render_text

    parts = []
    if "before" in report:
        sides: list[Literal["before", "after"]] = ["before", "after"]
        parts.append(f"{report['rows_fitted']:,} rows fitted, {report['rows_held_out']:,} held out:")
        parts.append(render_text([{"held out": side, **report[side]} for side in sides]))
        parts.extend(render_text(_bins(report[side], side)) for side in sides)
    if report["fitted"]:
        parts.append(render_text(_fitted(report["fitted"])))
    if report["saved_to"] is not None:
        parts.append(f"saved to {report['saved_to']}")
    else:
        parts.append("nothing saved" + (" (--dry-run)" if is_dry_run else ": no number was worth it"))
    return "\n\n".join(parts)


def _bins(measures: Mapping[str, Any], side: str) -> list[dict[str, Any]]:
    """Return a row for each bin that holds something: what was said, and what came true."""
    return [
        {
            f"{side}: score": f"{entry['lower']:.2f}-{entry['upper']:.2f}",
            "count": entry["count"],
            "mean score": entry["mean_probability"],
            "share true": entry["share_true"],
        }
        for entry in measures["reliability"]
        if entry["count"]
    ]


def _fitted(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            rows.extend({"fitted": name, "of": inner, "value": number} for inner, number in value.items())
        else:
            rows.append({"fitted": name, "of": "", "value": value})
    return rows

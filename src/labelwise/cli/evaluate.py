"""``labelwise evaluate``: measure a model on labelled files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from labelwise.cli import options
from labelwise.cli.expand import expand_flags
from labelwise.errors import DataError, InputError, LabelwiseError

if TYPE_CHECKING:
    from labelwise.evaluation.zero_shot import Evaluation

__all__ = ["evaluate"]


@expand_flags
def evaluate(
    paths: Annotated[
        list[Path],
        typer.Argument(help="Labelled rows (.csv .tsv .jsonl .parquet), or SQuAD .json for answer."),
    ],
    task: Annotated[
        Literal["classify", "entail", "answer"],
        typer.Option(help="classify: text, label. entail: premise, hypothesis, label. answer: SQuAD layout."),
    ] = "classify",
    labels: Annotated[
        str | None, typer.Option(help="The closed set of labels; left out: all labels of the file.")
    ] = None,
    labels_file: Annotated[Path | None, typer.Option(help="The same from a file.")] = None,
    hypothesis_template: Annotated[
        str | None, typer.Option(help="A sentence with one {}, where the label goes.")
    ] = None,
    score_mode: Annotated[
        Literal["entail_logit", "entail_minus_rest"], typer.Option(help="What is compared between labels.")
    ] = "entail_logit",
    limit: Annotated[
        int | None, typer.Option(help="Measure that many rows of each file, spread over it evenly.")
    ] = None,
    output_file: Annotated[
        Path | None, typer.Option("--output", help="Write the measures there: .json or .csv.")
    ] = None,
    json_output: options.JsonOutput = False,
    *,
    model: options.ModelOptions,
) -> None:
    """Measure a model on labelled files: accuracy, macro-F1, calibration error, speed.

    A file that cannot be measured is named, and the others go on.

    Example: labelwise evaluate reviews.jsonl --task classify --hypothesis-template "The sentiment is {}."

    Example: labelwise evaluate dev-v2.0.json --task answer --model deepset/deberta-v3-base-squad2
    """
    from labelwise.cli.reading import read_labels
    from labelwise.evaluation.report_table import render_csv, render_json, render_text

    if limit is not None and limit < 1:
        raise InputError(f"--limit must be at least 1, got {limit}")
    chosen = None if labels is None and labels_file is None else list(read_labels(labels, labels_file))
    writers = {".json": render_json, ".csv": render_csv}
    if output_file is not None and output_file.suffix not in writers:
        raise InputError(f"--output {str(output_file)!r} must end in .json or .csv")
    loaded = model.load()
    settings: dict[str, Any] = {"hypothesis_template": hypothesis_template, "score_mode": score_mode}
    rows: list[dict[str, Any]] = []
    failures: list[str] = []
    for path in paths:
        try:
            measured = _evaluate_file(loaded, path, task, chosen, limit, settings)
        except (LabelwiseError, OSError) as error:
            failures.append(f"{path}: {error}")
            typer.echo(f"labelwise: {failures[-1]}", err=True)
            continue
        rows.append({"file": path.name, **measured.to_dict()})
        typer.echo(
            f"labelwise: {path.name}: {measured.num_rows:,} rows in {measured.seconds:.1f} s", err=True
        )
    typer.echo(render_json(rows) if json_output else render_text(rows))
    if output_file is not None:
        output_file.write_text(writers[output_file.suffix](rows), encoding="utf-8")
    if failures:
        raise DataError(
            f"{len(failures)} of {len(paths)} files could not be measured; the first: {failures[0]}"
        )


def _evaluate_file(
    model: Any,
    path: Path,
    task: str,
    labels: Sequence[str] | None,
    limit: int | None,
    settings: dict[str, Any],
) -> Evaluation:
    from labelwise.evaluation import zero_shot
    from labelwise.evaluation.squad_file import read_squad
    from labelwise.files import read_rows

    if task == "answer":
        return zero_shot.evaluate_answers(model, _spread(list(read_squad(path)), limit))
    columns = ["text", "label"] if task == "classify" else ["premise", "hypothesis", "label"]
    rows = _spread(list(read_rows(path, text_columns=columns)), limit)
    gold = [row.values["label"] for row in rows]
    if task == "entail":
        pairs = [(row.values["premise"], row.values["hypothesis"]) for row in rows]
        return zero_shot.evaluate_entailment(model, pairs, gold)
    texts = [row.values["text"] for row in rows]
    return zero_shot.evaluate_classification(
        model, texts, gold, labels=labels or sorted(set(gold)), **settings
    )


def _spread(rows: Sequence[Any], limit: int | None) -> list[Any]:
    """Take every n-th row: files are often sorted by class, and a head would be one class."""
    if limit is None or limit >= len(rows):
        return list(rows)
    return [rows[place * len(rows) // limit] for place in range(limit)]

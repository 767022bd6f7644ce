"""``labelwise classify``: which of these labels fit a text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from labelwise.cli import options
from labelwise.cli.expand import expand_flags
from labelwise.errors import InputError, LabelError

if TYPE_CHECKING:
    from labelwise.files import Row
    from labelwise.model import Model
    from labelwise.results import Classification

__all__ = ["classify"]


@expand_flags
def classify(
    texts: Annotated[
        list[str] | None, typer.Argument(help="Texts; without any, stdin is read line by line.")
    ] = None,
    labels: Annotated[str | None, typer.Option(help="Label names, separated by commas.")] = None,
    labels_file: Annotated[
        Path | None,
        typer.Option(
            help="Labels from a file: a name on each line, or .json: a list, name -> description, or nested."
        ),
    ] = None,
    hypothesis_template: Annotated[
        str | None, typer.Option(help="A sentence with one {}, where the label goes.")
    ] = None,
    multi_label: Annotated[bool, typer.Option("--multi-label", help="Judge each label by itself.")] = False,
    threshold: Annotated[
        str | None, typer.Option(help="Least score of an accepted label: 0.6, or billing=0.7,other=0.4.")
    ] = None,
    top_k: Annotated[int | None, typer.Option(help="Show that many labels, best first.")] = None,
    none_label: Annotated[
        str | None, typer.Option(help="Name to return when none of the labels fits.")
    ] = None,
    score_mode: Annotated[
        Literal["entail_logit", "entail_minus_rest"],
        typer.Option(help="What is compared: the entailment logit, or entailment against the rest."),
    ] = "entail_logit",
    label_orders: Annotated[
        int, typer.Option(help="Average over that many label orders (models that read all labels at once).")
    ] = 1,
    truncation: options.Truncation = "window",
    json_output: options.JsonOutput = False,
    quiet: options.Quiet = False,
    text_column: Annotated[str, typer.Option(help="The column that holds the text.")] = "text",
    labels_column: Annotated[
        str | None, typer.Option(help="A column that holds each row's own labels.")
    ] = None,
    *,
    files: options.FileOptions,
    model: options.ModelOptions,
) -> None:
    """Say which of these labels fit a text.

    Example: labelwise classify "My card was charged twice" --labels "billing problem,delivery delay"

    Example: labelwise classify --input mails.csv --labels-file topics.json --output topics.jsonl
    """
    from labelwise.cli.bulk import run_bulk
    from labelwise.cli.reading import read_labels, read_threshold, stdin_lines

    if labels_column and (labels or labels_file):
        raise LabelError("give --labels-column or shared labels, not both")
    shared: Any = None if labels_column else read_labels(labels, labels_file)
    settings: dict[str, Any] = {
        "multi_label": multi_label,
        "hypothesis_template": hypothesis_template,
        "threshold": read_threshold(threshold),
        "top_k": top_k,
        "none_label": none_label,
        "score_mode": score_mode,
        "label_orders": label_orders,
        "truncation": truncation,
    }
    reads_file = files.are_used or labels_column is not None
    if texts and reads_file:
        raise InputError("give texts or --input FILE, not both")
    if not reads_file:
        read: Iterable[str] = texts or stdin_lines(what="a text")
        _print(model.load().classify(read, shared, **settings), json_output)
        return
    loaded = model.load()
    if shared is not None:
        # Settings that cannot work are refused here, before a row is read.
        loaded.classify("text", shared, **settings)
    run_bulk(
        files,
        lambda rows: _classify_rows(loaded, rows, text_column, labels_column, shared, settings),
        columns=[text_column],
        fingerprint={
            "verb": "classify",
            **model.identity(),
            "labels": repr(shared or labels_column),
            **_shown(settings),
        },
        quiet=quiet,
    )


def _classify_rows(
    model: Model,
    rows: Sequence[Row],
    text_column: str,
    labels_column: str | None,
    shared: Any,
    settings: Mapping[str, Any],
) -> list[dict[str, Any]]:
    texts = [row.values[text_column] for row in rows]
    labels = shared if labels_column is None else [_own_labels(row, labels_column) for row in rows]
    columns = []
    for result in model.classify(texts, labels, **settings):
        column = result.to_dict()
        del column["text"]
        column["score"] = result.best.score if result.best else None
        columns.append(column)
    return columns


def _own_labels(row: Row, column: str) -> Any:
    """Read the labels of one row: a list or mapping as it is, a text as names between commas."""
    from labelwise.cli.reading import split_labels

    if column not in row.values:
        raise LabelError(f"there is no column {column!r}; there are {', '.join(row.values)}")
    value = row.values[column]
    return split_labels(value) if isinstance(value, str) else value


def _print(results: Iterable[Classification], json_output: bool) -> None:
    from labelwise.cli.printing import print_json, print_rows

    if json_output:
        print_json(results)
        return
    for result in results:
        rows = [
            (label.label, label.score, "*" if label in result.accepted else "") for label in result.labels
        ]
        note = f"read in {result.windows_read} windows" if result.windows_read > 1 else ""
        if result.was_truncated:
            note = f"cut: only the beginning of {result.num_tokens} tokens was read"
        print_rows(
            rows, title=result.text, note=note or ("" if result.best else "no label reaches its threshold")
        )


def _shown(settings: Mapping[str, Any]) -> dict[str, str]:
    return {name: repr(value) for name, value in settings.items()}

"""``labelwise answer``: where in the context is the answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labelwise.cli import options
from labelwise.cli.expand import expand_flags
from labelwise.errors import InputError

if TYPE_CHECKING:
    from labelwise.files import Row
    from labelwise.model import Model
    from labelwise.results import Answer

__all__ = ["answer"]


@expand_flags
def answer(
    question: Annotated[str | None, typer.Argument(help="What is asked.")] = None,
    context: Annotated[str | None, typer.Option(help="The text that may hold the answer.")] = None,
    context_file: Annotated[
        Path | None, typer.Option(help="The same from a file, whatever its length.")
    ] = None,
    top_k: Annotated[int, typer.Option(help="How many answers to show.")] = 1,
    no_answer: Annotated[
        bool, typer.Option("--no-answer/--always-answer", help="Whether 'no answer' may win.")
    ] = True,
    max_answer_tokens: Annotated[int, typer.Option(help="The longest answer, in tokens.")] = 30,
    null_threshold: Annotated[
        float | None,
        typer.Option(help="Logits by which 'no answer' must win; left out, the model's own, else 0."),
    ] = None,
    json_output: options.JsonOutput = False,
    quiet: options.Quiet = False,
    question_column: Annotated[str, typer.Option(help="The column that holds the question.")] = "question",
    context_column: Annotated[str, typer.Option(help="The column that holds the context.")] = "context",
    *,
    files: options.FileOptions,
    model: options.ModelOptions,
) -> None:
    """Find the answer to a question in a text, or say that there is none.

    Example: labelwise answer "Who wrote it?" --context-file report.txt --model deepset/deberta-v3-base-squad2

    Example: labelwise answer --input questions.csv --output answers.csv --model FOLDER
    """
    from labelwise.cli.bulk import run_bulk
    from labelwise.cli.reading import read_text_file

    if context is not None and context_file is not None:
        raise InputError("give --context or --context-file, not both")
    text = read_text_file(context_file) if context_file else context
    if (files.input_file is None) == (question is None or text is None):
        raise InputError(
            "give a QUESTION with --context or --context-file, or --input FILE with both as columns"
        )
    settings: dict[str, Any] = {
        "top_k": top_k,
        "no_answer": no_answer,
        "max_answer_tokens": max_answer_tokens,
        "null_threshold": null_threshold,
    }
    loaded = model.load()
    if question is not None and text is not None:
        found = loaded.answer(question, text, **settings)
        _print(found if isinstance(found, list) else [found], json_output)
        return
    loaded.answer("text", "text", **settings)
    run_bulk(
        files,
        lambda rows: _answer_rows(loaded, rows, question_column, context_column, settings),
        columns=[question_column, context_column],
        fingerprint={
            "verb": "answer",
            **model.identity(),
            **{name: repr(value) for name, value in settings.items()},
        },
        quiet=quiet,
    )


def _answer_rows(
    model: Model, rows: Sequence[Row], question_column: str, context_column: str, settings: dict[str, Any]
) -> list[dict[str, Any]]:
    pairs = [(row.values[question_column], row.values[context_column]) for row in rows]
    found: Any = model.answer(pairs=pairs, **settings)
    if settings["top_k"] == 1:
        return [{"answer": one.text, **_without_text(one)} for one in found]
    return [{"answers": [one.to_dict() for one in several]} for several in found]


def _without_text(answer: Answer) -> dict[str, Any]:
    # The input may well have a column named "text".
    return {name: value for name, value in answer.to_dict().items() if name != "text"}


def _print(answers: Sequence[Answer], json_output: bool) -> None:
    from labelwise.cli.printing import print_json, print_rows

    if json_output:
        print_json(answers)
        return
    rows = [(found.text or "(no answer)", found.score, f"[{found.start}:{found.end}]") for found in answers]
    windows_read = answers[0].windows_read
    print_rows(rows, note=f"read in {windows_read} windows" if windows_read > 1 else "")

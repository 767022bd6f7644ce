"""``labelwise rank``: which candidate fits best."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from labelwise.cli import options
from labelwise.cli.expand import expand_flags
from labelwise.errors import InputError

if TYPE_CHECKING:
    from labelwise.files import Row
    from labelwise.results import RankedCandidate

__all__ = ["rank"]


@expand_flags
def rank(
    query: Annotated[str | None, typer.Argument(help="The text to fit.")] = None,
    candidates: Annotated[
        list[str] | None, typer.Argument(help="Candidates; without any, stdin is read line by line.")
    ] = None,
    candidates_file: Annotated[
        Path | None, typer.Option(help="Candidates from a file, one on each line.")
    ] = None,
    top_k: Annotated[int | None, typer.Option(help="Show that many, best first.")] = None,
    premise: Annotated[
        Literal["query", "candidate"],
        typer.Option(help="'query': which candidates follow from the query; 'candidate': which support it."),
    ] = "query",
    truncation: options.Truncation = "window",
    json_output: options.JsonOutput = False,
    quiet: options.Quiet = False,
    query_column: Annotated[str, typer.Option(help="The column that holds the query.")] = "query",
    candidates_column: Annotated[
        str, typer.Option(help="The column that holds a list of candidates (JSONL, Parquet).")
    ] = "candidates",
    *,
    files: options.FileOptions,
    model: options.ModelOptions,
) -> None:
    """Order candidates by how well they fit, by entailment.

    Example: labelwise rank "The match was cancelled because of rain." "Bad weather" "Great victory"

    Example: labelwise rank --input queries.jsonl --output ranked.jsonl
    """
    from labelwise.cli.bulk import run_bulk
    from labelwise.cli.reading import read_text_file, stdin_lines

    if (files.input_file is None) == (query is None):
        raise InputError("give a QUERY with candidates, or --input FILE with both as columns")
    if candidates and candidates_file:
        raise InputError("give candidates or --candidates-file, not both")
    listed = list(candidates or [])
    if candidates_file:
        listed = [line.strip() for line in read_text_file(candidates_file).splitlines() if line.strip()]
    elif query is not None and not listed:
        listed = list(stdin_lines(what="candidates"))
    loaded = model.load()
    settings: dict[str, Any] = {"top_k": top_k, "premise": premise, "truncation": truncation}
    if query is not None:
        _print(loaded.rank(query, listed, **settings), json_output)
        return
    loaded.rank("text", ["text"], **settings)

    def work(rows: Sequence[Row]) -> list[dict[str, Any]]:
        return [
            {
                "ranked": [
                    found.to_dict()
                    for found in loaded.rank(
                        row.values[query_column], _own_candidates(row, candidates_column), **settings
                    )
                ]
            }
            for row in rows
        ]

    run_bulk(
        files,
        work,
        columns=[query_column],
        fingerprint={
            "verb": "rank",
            **model.identity(),
            **{name: repr(value) for name, value in settings.items()},
        },
        quiet=quiet,
    )


def _own_candidates(row: Row, column: str) -> list[str]:
    value = row.values.get(column)
    if not isinstance(value, list):
        raise InputError(f"column {column!r} must hold a list of texts; there are {', '.join(row.values)}")
    return value


def _print(results: Sequence[RankedCandidate], json_output: bool) -> None:
    from labelwise.cli.printing import print_json, print_rows

    if json_output:
        print_json(results)
    else:
        print_rows([(found.text, found.score, f"#{found.index}") for found in results])

"""``labelwise entail``: does the hypothesis follow from the premise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from labelwise.cli import options
from labelwise.cli.expand import expand_flags
from labelwise.errors import InputError

if TYPE_CHECKING:
    from labelwise.results import Entailment

__all__ = ["entail"]


@expand_flags
def entail(
    premise: Annotated[str | None, typer.Argument(help="The text that is taken as true.")] = None,
    hypothesis: Annotated[str | None, typer.Argument(help="The statement to judge.")] = None,
    truncation: options.Truncation = "window",
    json_output: options.JsonOutput = False,
    quiet: options.Quiet = False,
    premise_column: Annotated[str, typer.Option(help="The column that holds the premise.")] = "premise",
    hypothesis_column: Annotated[
        str, typer.Option(help="The column that holds the hypothesis.")
    ] = "hypothesis",
    *,
    files: options.FileOptions,
    model: options.ModelOptions,
) -> None:
    """Say whether a hypothesis follows from a premise.

    Example: labelwise entail "A man plays the guitar on stage." "Somebody makes music."

    Example: labelwise entail --input pairs.csv --output judged.csv
    """
    from labelwise.cli.bulk import run_bulk

    if (files.input_file is None) == (premise is None or hypothesis is None):
        raise InputError("give a PREMISE and a HYPOTHESIS, or --input FILE with both as columns")
    loaded = model.load()
    if premise is not None and hypothesis is not None:
        _print(loaded.entail(premise, hypothesis, truncation=truncation), json_output)
        return
    loaded.entail("text", "text", truncation=truncation)
    run_bulk(
        files,
        lambda rows: [
            result.to_dict()
            for result in loaded.entail(
                pairs=[(row.values[premise_column], row.values[hypothesis_column]) for row in rows],
                truncation=truncation,
            )
        ],
        columns=[premise_column, hypothesis_column],
        fingerprint={"verb": "entail", **model.identity(), "truncation": truncation},
        quiet=quiet,
    )


def _print(result: Entailment, json_output: bool) -> None:
    from labelwise.cli.printing import print_json, print_rows

    if json_output:
        print_json([result])
        return
    note = f"read in {result.windows_read} windows" if result.windows_read > 1 else ""
    ranked = sorted(result.scores().items(), key=lambda item: -item[1])
    print_rows([(name, score, "*" if name == result.label else "") for name, score in ranked], note=note)

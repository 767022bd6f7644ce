"""``labelwise train multitask``: one encoder for all four verbs, by a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["multitask"]


def multitask(
    recipe: Annotated[Path, typer.Argument(help="The recipe, a JSON file; see the folder recipes.")],
    data: Annotated[Path, typer.Option("--data", help="The folder that the recipe's files lie in.")],
    output: Annotated[Path, typer.Option("--output", help="The run folder.")],
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the newest checkpoint of the run folder.")
    ] = False,
) -> None:
    """Train a model that classifies, entails, ranks and answers.

    Example: labelwise train multitask recipes/bundled-multitask.json --data data --output runs/bundled
    """
    from labelwise.training.multitask.recipe import load_multitask_recipe
    from labelwise.training.multitask.run import train_multitask

    folder = train_multitask(
        load_multitask_recipe(recipe),
        recipe_dir=recipe.parent,
        data_dir=data,
        output_dir=output,
        resume=resume,
    )
    typer.echo(folder)

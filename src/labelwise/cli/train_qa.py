"""``labelwise train qa``: question-answering models, by a recipe."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from labelwise.errors import require

__all__ = ["qa"]


def qa(
    recipe: Annotated[Path, typer.Argument(help="The recipe, a JSON file; see the folder recipes.")],
    data: Annotated[Path, typer.Option("--data", help="The folder that the recipe's files lie in.")],
    output: Annotated[Path, typer.Option("--output", help="The run folder.")],
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the newest checkpoint of the run folder.")
    ] = False,
) -> None:
    """Train a model that finds answers in a text, or says that there is none.

    Sources are SQuAD files or hub data sets with SQuAD's columns.

    Example: labelwise train qa recipes/reader-minilm.json --data data --output runs/reader

    Example: torchrun --nproc-per-node 4 -m labelwise train qa recipe.json --data data --output run
    """
    for module in ("torch", "transformers", "accelerate"):
        require(module, extra="train")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    from labelwise.training.qa.recipe import load_qa_recipe
    from labelwise.training.qa.run import train_qa

    typer.echo(train_qa(load_qa_recipe(recipe), data_dir=data, output_dir=output, resume=resume))

"""``labelwise train``: entailment models and joint models, by a recipe."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from labelwise.errors import require

__all__ = ["train"]

Recipe = Annotated[Path, typer.Argument(help="The recipe, a JSON file; see the folder recipes.")]
Data = Annotated[Path, typer.Option("--data", help="The folder that the recipe's files lie in.")]
Output = Annotated[Path, typer.Option("--output", help="The run folder.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the newest checkpoint of the run folder.")]

train = typer.Typer(
    help="Train a model by a recipe.", no_args_is_help=True, rich_markup_mode=None, add_completion=False
)


@train.command()
def nli(recipe: Recipe, data: Data, output: Output, resume: Resume = False) -> None:
    """Train an entailment model on premise and hypothesis pairs.

    Example: labelwise train nli recipes/bundled-nli.json --data data --output runs/nli
    """
    _prepare()
    from labelwise.training.nli import train_nli
    from labelwise.training.recipe import load_recipe

    typer.echo(train_nli(load_recipe(recipe), data_dir=data, output_dir=output, resume=resume))


@train.command()
def labels(
    recipe: Recipe,
    data: Data,
    output: Output,
    resume: Resume = False,
    deepspeed: Annotated[
        Path | None, typer.Option(help="A DeepSpeed configuration, such as recipes/deepspeed-zero2.json.")
    ] = None,
) -> None:
    """Train a GliZNet model on texts with labels that are true and false of them.

    Example: labelwise train labels recipes/gliznet-minilm.json --data data --output runs/gliznet

    Example: torchrun --nproc-per-node 4 -m labelwise train labels recipe.json --data data --output run
    """
    _prepare()
    if deepspeed is not None:
        require("deepspeed", extra="train")
    from labelwise.training.labels.recipe import load_label_recipe
    from labelwise.training.labels.run import train_labels

    folder = train_labels(
        load_label_recipe(recipe), data_dir=data, output_dir=output, resume=resume, deepspeed=deepspeed
    )
    typer.echo(folder)


def _prepare() -> None:
    for module in ("torch", "transformers", "accelerate"):
        require(module, extra="train")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")

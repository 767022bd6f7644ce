"""``labelwise train``: one command per kind of model, each by a recipe."""

from __future__ import annotations

import typer

from labelwise.cli.expand import expand_flags
from labelwise.cli.train_multitask import multitask
from labelwise.cli.train_options import (
    Data,
    FitOptions,
    Output,
    PublishOptions,
    Recipe,
    Resume,
    finish,
    prepare,
)
from labelwise.cli.train_qa import qa

__all__ = ["train"]

train = typer.Typer(
    help="Train a model by a recipe.", no_args_is_help=True, rich_markup_mode=None, add_completion=False
)


def nli(
    recipe: Recipe,
    data: Data,
    output: Output,
    fit: FitOptions,
    publish: PublishOptions,
    resume: Resume = False,
) -> None:
    """Train an entailment model on premise and hypothesis pairs.

    Example: labelwise train nli recipes/bundled-nli.json --data data --output runs/nli

    Example: torchrun --nproc-per-node 4 -m labelwise train nli recipe.json --data data --output run
    """
    prepare(fit, publish)
    from labelwise.training.nli import train_nli
    from labelwise.training.recipe import load_recipe

    folder = train_nli(
        load_recipe(recipe),
        data_dir=data,
        output_dir=output,
        resume=resume,
        deepspeed=fit.deepspeed,
        changes=fit.changes(),
    )
    finish(folder, publish)


def labels(
    recipe: Recipe,
    data: Data,
    output: Output,
    fit: FitOptions,
    publish: PublishOptions,
    resume: Resume = False,
) -> None:
    """Train a GliZNet model on texts with labels that are true and false of them.

    Example: labelwise train labels recipes/gliznet-minilm.json --data data --output runs/gliznet

    Example: torchrun --nproc-per-node 4 -m labelwise train labels recipe.json --data data --output run
    """
    prepare(fit, publish)
    from labelwise.training.labels.recipe import load_label_recipe
    from labelwise.training.labels.run import train_labels

    folder = train_labels(
        load_label_recipe(recipe),
        data_dir=data,
        output_dir=output,
        resume=resume,
        deepspeed=fit.deepspeed,
        changes=fit.changes(),
    )
    finish(folder, publish)


# Every kind of training is one function; larger ones have a file of their own.
for command in (nli, labels, qa, multitask):
    train.command()(expand_flags(command))

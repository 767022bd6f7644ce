"""``labelwise train``: one command per kind of model, each by a recipe."""

from __future__ import annotations

import typer

from labelwise.cli.expand import expand_flags
from labelwise.cli.train_multitask import multitask
from labelwise.cli.train_options import FitOptions, PublishOptions, RunOptions, finish, prepare
from labelwise.cli.train_qa import qa

__all__ = ["train"]

_RECIPES = (
    "Recipes are JSON or YAML: docs/training.md in labelwise's repository has a whole one for each kind of "
    "model, and every field."
)

train = typer.Typer(
    help="Train a model by a recipe.",
    epilog=_RECIPES,
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)


def nli(run: RunOptions, fit: FitOptions, publish: PublishOptions) -> None:
    """Train an entailment model on premise and hypothesis pairs.

    Example: labelwise train nli nli.yaml --data data --output runs/nli

    Example: torchrun --nproc-per-node 4 -m labelwise train nli nli.yaml --data data --output run
    """
    prepare(fit, publish)
    from labelwise.training.nli import train_nli
    from labelwise.training.recipe import load_recipe

    folder = train_nli(load_recipe(run.recipe), **run.arguments(), **fit.arguments())
    finish(folder, publish)


def labels(run: RunOptions, fit: FitOptions, publish: PublishOptions) -> None:
    """Train a GliZNet model on texts with labels that are true and false of them.

    GliZNet is the joint model that is trained here; GLiClass checkpoints are run, not trained.

    Example: labelwise train labels labels.yaml --data data --output runs/labels

    Example: torchrun --nproc-per-node 4 -m labelwise train labels labels.yaml --data data --output run
    """
    prepare(fit, publish)
    from labelwise.training.labels.recipe import load_label_recipe
    from labelwise.training.labels.run import train_labels

    folder = train_labels(load_label_recipe(run.recipe), **run.arguments(), **fit.arguments())
    finish(folder, publish)


# Every kind of training is one function; larger ones have a file of their own.
for command in (nli, labels, qa, multitask):
    train.command(epilog=_RECIPES)(expand_flags(command))

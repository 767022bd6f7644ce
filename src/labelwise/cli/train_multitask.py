"""``labelwise train multitask``: one encoder for all four verbs, by a recipe."""

from __future__ import annotations

from labelwise.cli.train_options import FitOptions, PublishOptions, RunOptions, finish, prepare

__all__ = ["multitask"]


def multitask(run: RunOptions, publish: PublishOptions) -> None:
    """Train a model that classifies, entails, ranks and answers.

    The recipe names an entailment recipe, as of 'train nli', that lies beside it. The run is one process,
    without torchrun and without early stopping.

    Example: labelwise train multitask multitask.yaml --data data --output runs/multitask
    """
    prepare(FitOptions(), publish)
    from labelwise.training.multitask.recipe import load_multitask_recipe
    from labelwise.training.multitask.run import train_multitask

    folder = train_multitask(
        load_multitask_recipe(run.recipe), recipe_dir=run.recipe.parent, **run.arguments()
    )
    finish(folder, publish)

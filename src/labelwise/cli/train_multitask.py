"""``labelwise train multitask``: one encoder for all four verbs, by a recipe."""

from __future__ import annotations

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

__all__ = ["multitask"]


def multitask(
    recipe: Recipe, data: Data, output: Output, publish: PublishOptions, resume: Resume = False
) -> None:
    """Train a model that classifies, entails, ranks and answers.

    Example: labelwise train multitask recipes/bundled-multitask.json --data data --output runs/bundled
    """
    prepare(FitOptions(), publish)
    from labelwise.training.multitask.recipe import load_multitask_recipe
    from labelwise.training.multitask.run import train_multitask

    folder = train_multitask(
        load_multitask_recipe(recipe),
        recipe_dir=recipe.parent,
        data_dir=data,
        output_dir=output,
        resume=resume,
    )
    finish(folder, publish)

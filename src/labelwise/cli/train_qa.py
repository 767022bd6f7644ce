"""``labelwise train qa``: question-answering models, by a recipe."""

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

__all__ = ["qa"]


def qa(
    recipe: Recipe,
    data: Data,
    output: Output,
    fit: FitOptions,
    publish: PublishOptions,
    resume: Resume = False,
) -> None:
    """Train a model that finds answers in a text, or says that there is none.

    Sources are SQuAD files or hub data sets with SQuAD's columns.

    Example: labelwise train qa recipes/reader-minilm.json --data data --output runs/reader

    Example: torchrun --nproc-per-node 4 -m labelwise train qa recipe.json --data data --output run
    """
    prepare(fit, publish)
    from labelwise.training.qa.recipe import load_qa_recipe
    from labelwise.training.qa.run import train_qa

    folder = train_qa(
        load_qa_recipe(recipe),
        data_dir=data,
        output_dir=output,
        resume=resume,
        deepspeed=fit.deepspeed,
        changes=fit.changes(),
    )
    finish(folder, publish)

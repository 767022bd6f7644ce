"""``labelwise train qa``: question-answering models, by a recipe."""

from __future__ import annotations

from labelwise.cli.train_options import FitOptions, PublishOptions, RunOptions, finish, prepare

__all__ = ["qa"]


def qa(run: RunOptions, fit: FitOptions, publish: PublishOptions) -> None:
    """Train a model that finds answers in a text, or says that there is none.

    Sources are SQuAD files or hub data sets with SQuAD's columns.

    Example: labelwise train qa qa.yaml --data data --output runs/reader

    Example: torchrun --nproc-per-node 4 -m labelwise train qa qa.yaml --data data --output run
    """
    prepare(fit, publish)
    from labelwise.training.qa.recipe import load_qa_recipe
    from labelwise.training.qa.run import train_qa

    folder = train_qa(load_qa_recipe(run.recipe), **run.arguments(), **fit.arguments())
    finish(folder, publish)

"""The Trainer of an NLI recipe's pairs, whoever else teaches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel

from labelwise.training.arguments import TrainerSettings, rows_per_step, training_arguments
from labelwise.training.callbacks import FiniteLoss, ProgressLines, add_callbacks
from labelwise.training.encoding import PadToLongest
from labelwise.training.loss import MarginalCrossEntropy
from labelwise.training.pair_data import PairAccuracy, PairData, likeliest_classes, sampled
from labelwise.training.recipe import NliRecipe

__all__ = ["pair_trainer"]

_EVAL_BATCH_SIZE = 64


def pair_trainer(
    recipe: NliRecipe,
    settings: TrainerSettings,
    model: PreTrainedModel,
    data: PairData,
    output_dir: Path,
    *,
    kind: Callable[..., FiniteLoss] = FiniteLoss,
    **arguments: Any,
) -> FiniteLoss:
    """Return a Trainer that learns the pairs' classes, and measures accuracy on the way.

    Args:
        recipe: the run's.
        settings: how the weights are fitted.
        model: the model to train.
        data: its pairs.
        output_dir: the run folder.
        kind: makes the Trainer, from what transformers' own takes.
        arguments: further ones of ``training_arguments``; ``is_resumed`` is among them.
    """
    trainer = kind(
        model=model,
        args=training_arguments(
            settings,
            output_dir,
            num_steps=len(data.train) // rows_per_step(settings),
            metric="eval_accuracy",
            greater_is_better=True,
            eval_batch_size=_EVAL_BATCH_SIZE,
            **arguments,
        ),
        train_dataset=data.train,
        eval_dataset=sampled(data.validation, recipe.validation_rows, recipe.seed),
        data_collator=PadToLongest(
            model.config.pad_token_id or 0, with_type_ids=getattr(model.config, "type_vocab_size", 0) > 1
        ),
        compute_loss_func=MarginalCrossEntropy(recipe.classes),
        compute_metrics=PairAccuracy(recipe),
        preprocess_logits_for_metrics=likeliest_classes,
    )
    sample = (min(recipe.validation_rows, len(data.validation)), len(data.validation))
    add_callbacks(trainer, ProgressLines(rows="pairs", sample=sample), patience=settings.patience)
    return trainer

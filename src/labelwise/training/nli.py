"""Train an NLI cross-encoder from a recipe: read, recast, encode, fit, save."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import set_seed

from labelwise.training.arguments import check_model, rows_per_step, settings_from
from labelwise.training.base import base_folder, check_base, load_base, save_checkpoint
from labelwise.training.finishing import finish_run
from labelwise.training.fit import fit
from labelwise.training.pair_data import data_files, read_pair_data
from labelwise.training.pair_trainer import pair_trainer
from labelwise.training.processes import leaving_together
from labelwise.training.recipe import NliRecipe
from labelwise.training.run_folder import claim, is_first_process

__all__ = ["train_nli"]

log = logging.getLogger("labelwise.training")


@leaving_together()
def train_nli(
    recipe: NliRecipe,
    *,
    data_dir: Path,
    output_dir: Path,
    resume: bool = False,
    deepspeed: Path | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Path:
    """Run a recipe and return the folder of the finished checkpoint, ``output_dir/model``.

    The run folder also gets ``recipe.json``, ``metrics.json``, ``curves.png`` and ``checkpoint-N`` folders;
    ``resume`` goes on from the newest of these with the same data order, or starts anew if there is none.
    Started by torchrun or accelerate, all processes share the work.

    Args:
        recipe: what to train, on what, how.
        data_dir: where the recipe's files lie.
        output_dir: the run folder.
        resume: goes on with a run that was cut off.
        deepspeed: a DeepSpeed configuration, such as ``recipes/deepspeed-zero2.json``.
        changes: fields of ``TrainerSettings`` that this machine or run needs otherwise than the recipe says.

    Raises:
        DataError: a data file is missing or has no usable row, or the run folder holds another run.
        InputError: the base cannot be trained with these settings.
        LabelwiseError: the loss is not finite.
    """
    newest = claim(output_dir, resume=resume)
    settings = settings_from(recipe.hyperparameters, seed=recipe.seed, changes=changes)
    set_seed(recipe.seed)
    base = base_folder(recipe.base, revision=recipe.base_revision)
    check_base(base, precision=settings.precision, max_tokens=recipe.hyperparameters.max_tokens)
    model = load_base(base, recipe)
    check_model(model, settings)
    data = read_pair_data(recipe, base, data_dir, rows_per_step(settings))
    trainer = pair_trainer(
        recipe, settings, model, data, output_dir, is_resumed=newest is not None, deepspeed=deepspeed
    )
    seconds = fit(trainer, recipe, output_dir, newest=newest)
    figures = trainer.evaluate(data.validation)
    if is_first_process():
        trained = trainer.accelerator.unwrap_model(trainer.model)
        save_checkpoint(trained, base, output_dir / "model", max_tokens=recipe.hyperparameters.max_tokens)
    metrics = {
        "train_pairs": len(data.train),
        "pairs_per_source": data.pairs_per_source,
        "seconds_since_start_or_resume": seconds,
        "settings": dataclasses.asdict(settings),
        "validation": {"file": recipe.validation, **figures},
        "best_checkpoint": trainer.state.best_model_checkpoint,
    }
    finish_run(
        output_dir,
        title=recipe.name,
        base=recipe.base,
        task="nli",
        metrics=metrics,
        log_history=trainer.state.log_history,
        data=data_files(recipe, data.pairs_per_source),
        recipe=recipe.to_dict(),
        limits=[f"Longer texts than {recipe.hyperparameters.max_tokens} tokens are read in windows."],
    )
    log.info("finished, validation accuracy %.4f: %s", figures["eval_accuracy"], output_dir / "model")
    return output_dir / "model"

"""Train an NLI cross-encoder from a recipe: read, recast, encode, fit, save."""

from __future__ import annotations

import dataclasses
import logging
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from transformers import EvalPrediction, PreTrainedModel, Trainer, set_seed

from labelwise.errors import InputError
from labelwise.training.arguments import (
    TrainerSettings,
    check_model,
    rows_per_step,
    settings_from,
    training_arguments,
)
from labelwise.training.base import base_folder, load_base, load_tokenizer, save_checkpoint, write_json
from labelwise.training.callbacks import FiniteLoss, ProgressLines, add_callbacks
from labelwise.training.encoding import EncodedPairs, PadToLongest, encode_pairs, length_grouped_order
from labelwise.training.finishing import DataFile, finish_run
from labelwise.training.loss import MarginalCrossEntropy, allowed_classes
from labelwise.training.mix import training_pairs, validation_pairs
from labelwise.training.recipe import NliRecipe
from labelwise.training.records import Pair
from labelwise.training.run_folder import claim, is_first_process

__all__ = ["train_nli"]

log = logging.getLogger("labelwise.training")

_EVAL_BATCH_SIZE = 64


@dataclass(frozen=True, slots=True)
class _Data:
    train: EncodedPairs
    validation: EncodedPairs
    pairs_per_source: Mapping[str, int]


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
    base = base_folder(recipe.base)
    model = load_base(base, recipe)
    check_model(model, settings)
    if is_first_process():
        write_json(output_dir / "recipe.json", recipe.to_dict())
    data = _read(recipe, base, data_dir, rows_per_step(settings))
    trainer = _trainer(recipe, settings, model, data, output_dir, newest, deepspeed)
    log.info("training %s%s", recipe.name, f", from {newest}" if newest else "")
    started = time.monotonic()
    trainer.train(resume_from_checkpoint=str(newest) if newest else None)
    seconds = round(time.monotonic() - started)
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
    }
    finish_run(
        output_dir,
        title=recipe.name,
        base=recipe.base,
        task="nli",
        metrics=metrics,
        log_history=trainer.state.log_history,
        data=_data_files(recipe, data.pairs_per_source),
        recipe=recipe.to_dict(),
        limits=[f"Longer texts than {recipe.hyperparameters.max_tokens} tokens are read in windows."],
    )
    log.info("finished, validation accuracy %.4f: %s", figures["eval_accuracy"], output_dir / "model")
    return output_dir / "model"


def _read(recipe: NliRecipe, base: Path, data_dir: Path, rows: int) -> _Data:
    chosen = recipe.hyperparameters
    pairs, counts = training_pairs(recipe, data_dir)
    validation = _encoded(validation_pairs(recipe, data_dir), base, recipe)
    encoded = _encoded(pairs, base, recipe)
    order = length_grouped_order(encoded.lengths, batch_size=rows, epochs=chosen.epochs, seed=recipe.seed)
    # Whole steps only: processes would fill up a last short one with rows that were seen already.
    num_steps = min(len(order) // rows, chosen.max_steps or len(order))
    if num_steps == 0:
        raise InputError(f"{len(order)} pairs do not fill one step of {rows}: lower batch_size")
    log.info("%d pairs, %d steps, %.1f tokens a pair", len(pairs), num_steps, float(encoded.lengths.mean()))
    return _Data(
        train=replace(encoded, order=order[: num_steps * rows]),
        validation=replace(validation, order=np.argsort(validation.lengths, kind="stable")),
        pairs_per_source=counts,
    )


def _encoded(pairs: list[Pair], base: Path, recipe: NliRecipe) -> EncodedPairs:
    return encode_pairs(pairs, load_tokenizer(base), max_tokens=recipe.hyperparameters.max_tokens)


def _trainer(
    recipe: NliRecipe,
    settings: TrainerSettings,
    model: PreTrainedModel,
    data: _Data,
    output_dir: Path,
    newest: Path | None,
    deepspeed: Path | None,
) -> Trainer:
    arguments = training_arguments(
        settings,
        output_dir,
        num_steps=len(data.train) // rows_per_step(settings),
        metric="eval_accuracy",
        greater_is_better=True,
        is_resumed=newest is not None,
        deepspeed=deepspeed,
        eval_batch_size=_EVAL_BATCH_SIZE,
    )
    trainer = FiniteLoss(
        model=model,
        args=arguments,
        train_dataset=data.train,
        eval_dataset=_sampled(data.validation, recipe.validation_rows, recipe.seed),
        data_collator=PadToLongest(
            model.config.pad_token_id or 0, with_type_ids=getattr(model.config, "type_vocab_size", 0) > 1
        ),
        compute_loss_func=MarginalCrossEntropy(recipe.classes),
        compute_metrics=_Accuracy(recipe),
    )
    add_callbacks(trainer, ProgressLines(rows="pairs"), patience=settings.patience)
    return trainer


def _sampled(encoded: EncodedPairs, rows: int, seed: int) -> EncodedPairs:
    if rows >= len(encoded):
        return encoded
    positions = sorted(random.Random(seed).sample(range(len(encoded)), rows))
    return replace(encoded, order=encoded.order[positions])


def _data_files(recipe: NliRecipe, counts: Mapping[str, int]) -> list[DataFile]:
    # A set that is named twice, with two wordings say, has one count.
    licences = {source.name: source.licence for source in recipe.sources}
    return [DataFile(path=name, rows=rows, licence=licences[name]) for name, rows in counts.items()]


class _Accuracy:
    """The share of rows whose likeliest class agrees with the row's label."""

    def __init__(self, recipe: NliRecipe) -> None:
        self._allowed = allowed_classes(recipe.classes).numpy()

    def __call__(self, prediction: EvalPrediction) -> dict[str, float]:
        best = np.asarray(prediction.predictions).argmax(axis=-1)
        return {"accuracy": float(self._allowed[prediction.label_ids, best].mean())}

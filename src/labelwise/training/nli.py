"""Train an NLI cross-encoder from a recipe: read, recast, encode, fit, save."""

from __future__ import annotations

import logging
import random
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from transformers import (
    EvalPrediction,
    PreTrainedModel,
    PrinterCallback,
    Trainer,
    TrainingArguments,
    set_seed,
)

from labelwise.errors import DataError
from labelwise.training.base import base_folder, load_base, load_tokenizer, save_checkpoint, write_json
from labelwise.training.encoding import EncodedPairs, PadToLongest, encode_pairs, length_grouped_order
from labelwise.training.loss import MarginalCrossEntropy, allowed_classes
from labelwise.training.mix import training_pairs, validation_pairs
from labelwise.training.progress import ProgressLines
from labelwise.training.recipe import NliRecipe
from labelwise.training.records import Pair

__all__ = ["train_nli"]

log = logging.getLogger("labelwise.training")


def train_nli(recipe: NliRecipe, *, data_dir: Path, output_dir: Path, resume: bool = False) -> Path:
    """Run a recipe and return the folder of the finished checkpoint, ``output_dir/model``.

    The run folder also gets ``recipe.json``, ``metrics.json`` and ``checkpoint-N`` folders; ``resume`` goes
    on from the newest of these with the same data order, or starts anew if there is none.

    Raises:
        DataError: a data file is missing or has no usable row, or the run folder holds another run.
        LabelwiseError: the loss is not finite.
    """
    _claim(output_dir, resume=resume)
    write_json(output_dir / "recipe.json", recipe.to_dict())
    set_seed(recipe.seed)
    base = base_folder(recipe.base)
    pairs, counts = training_pairs(recipe, data_dir)
    validation = _encoded(validation_pairs(recipe, data_dir), base, recipe)
    model = load_base(base, recipe)
    trainer = _trainer(recipe, model, base, pairs, validation, output_dir)
    newest = _newest_checkpoint(output_dir) if resume else None
    log.info("training %s on %d pairs%s", recipe.name, len(pairs), f", from {newest}" if newest else "")
    started = time.monotonic()
    trainer.train(resume_from_checkpoint=str(newest) if newest else None)
    seconds = round(time.monotonic() - started)
    save_checkpoint(model, base, output_dir / "model", max_tokens=recipe.hyperparameters.max_tokens)
    figures = trainer.evaluate(validation)
    write_json(
        output_dir / "metrics.json",
        {
            "train_pairs": len(trainer.train_dataset),
            "pairs_per_source": counts,
            "seconds_since_start_or_resume": seconds,
            "validation": {"file": recipe.validation, **figures},
            "curve": [entry for entry in trainer.state.log_history if {"loss", "eval_loss"} & entry.keys()],
        },
    )
    log.info("finished, validation accuracy %.4f: %s", figures["eval_accuracy"], output_dir / "model")
    return output_dir / "model"


def _claim(output_dir: Path, *, resume: bool) -> None:
    if not resume and _newest_checkpoint(output_dir) is not None:
        raise DataError(f"{output_dir} holds a run already: give --resume or another --output")
    output_dir.mkdir(parents=True, exist_ok=True)


def _encoded(pairs: list[Pair], base: Path, recipe: NliRecipe) -> EncodedPairs:
    encoded = encode_pairs(pairs, load_tokenizer(base), max_tokens=recipe.hyperparameters.max_tokens)
    return replace(encoded, order=np.argsort(encoded.lengths, kind="stable"))


def _trainer(
    recipe: NliRecipe,
    model: PreTrainedModel,
    base: Path,
    pairs: list[Pair],
    validation: EncodedPairs,
    output_dir: Path,
) -> Trainer:
    chosen = recipe.hyperparameters
    encoded = encode_pairs(pairs, load_tokenizer(base), max_tokens=chosen.max_tokens)
    order = length_grouped_order(
        encoded.lengths, batch_size=chosen.batch_size, epochs=chosen.epochs, seed=recipe.seed
    )
    if chosen.max_steps is not None:
        order = order[: chosen.max_steps * chosen.batch_size]
    steps = -(-len(order) // chosen.batch_size)
    log.info("%d steps, %.1f tokens a pair", steps, float(encoded.lengths.mean()))
    trainer = Trainer(
        model=model,
        args=_arguments(recipe, output_dir, warmup_steps=round(steps * chosen.warmup_ratio)),
        train_dataset=replace(encoded, order=order),
        eval_dataset=_sampled(validation, recipe.validation_rows, recipe.seed),
        data_collator=PadToLongest(
            model.config.pad_token_id or 0, with_type_ids=getattr(model.config, "type_vocab_size", 0) > 1
        ),
        compute_loss_func=MarginalCrossEntropy(recipe.classes),
        compute_metrics=_Accuracy(recipe),
        callbacks=[ProgressLines()],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _sampled(encoded: EncodedPairs, rows: int, seed: int) -> EncodedPairs:
    if rows >= len(encoded):
        return encoded
    positions = sorted(random.Random(seed).sample(range(len(encoded)), rows))
    return replace(encoded, order=encoded.order[positions])


def _arguments(recipe: NliRecipe, output_dir: Path, *, warmup_steps: int) -> TrainingArguments:
    chosen = recipe.hyperparameters
    on_cpu = not torch.cuda.is_available()
    return TrainingArguments(
        output_dir=str(output_dir),
        # The order of all epochs is laid out beforehand: one pass, in sequence, is the whole run.
        num_train_epochs=1,
        train_sampling_strategy="sequential",
        per_device_train_batch_size=chosen.batch_size,
        per_device_eval_batch_size=64,
        learning_rate=chosen.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=warmup_steps,
        weight_decay=chosen.weight_decay,
        max_grad_norm=chosen.max_grad_norm,
        optim="adamw_torch_fused",
        bf16=chosen.precision == "bf16",
        use_cpu=on_cpu,
        dataloader_pin_memory=not on_cpu,
        seed=recipe.seed,
        logging_steps=chosen.log_every_steps,
        logging_nan_inf_filter=False,
        eval_strategy="steps",
        eval_steps=chosen.evaluate_every_steps,
        save_strategy="steps",
        save_steps=chosen.save_every_steps,
        save_total_limit=2,
        remove_unused_columns=False,
        disable_tqdm=True,
        report_to="none",
        log_level="error",
    )


class _Accuracy:
    """The share of rows whose likeliest class agrees with the row's label."""

    def __init__(self, recipe: NliRecipe) -> None:
        self._allowed = allowed_classes(recipe.classes).numpy()

    def __call__(self, prediction: EvalPrediction) -> dict[str, float]:
        best = np.asarray(prediction.predictions).argmax(axis=-1)
        return {"accuracy": float(self._allowed[prediction.label_ids, best].mean())}


def _newest_checkpoint(output_dir: Path) -> Path | None:
    # trainer_state.json is written last: a folder without it was cut off while it was being written.
    complete = [state.parent for state in output_dir.glob("checkpoint-*/trainer_state.json")]
    return max(complete, key=lambda folder: int(folder.name.rpartition("-")[2]), default=None)

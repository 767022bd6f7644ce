"""Train a GliZNet model from a recipe: read, split, fit, save."""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import EarlyStoppingCallback, PrinterCallback, set_seed

from labelwise.errors import DataError, InputError
from labelwise.training.base import base_folder, write_json
from labelwise.training.labels.base import open_encoder, save_tokenizer, start_model
from labelwise.training.labels.curve import write_curve
from labelwise.training.labels.encoding import (
    DrawnExamples,
    ExampleEncoder,
    FixedExamples,
    PadLabelRows,
    epochs_order,
)
from labelwise.training.labels.metrics import LabelMetrics
from labelwise.training.labels.recipe import LabelRecipe
from labelwise.training.labels.rows import held_out_rows, read_label_rows
from labelwise.training.labels.trainer import LabelTrainer, ReportLines, texts_per_step, training_arguments
from labelwise.training.records import LabelledText

__all__ = ["train_labels"]

log = logging.getLogger("labelwise.training")
_NAMED_ROWS = 20


@dataclass(frozen=True, slots=True)
class _Data:
    train: tuple[LabelledText, ...]
    validation: tuple[LabelledText, ...]
    counts: dict[str, Any]


def train_labels(
    recipe: LabelRecipe,
    *,
    data_dir: Path,
    output_dir: Path,
    resume: bool = False,
    deepspeed: Path | None = None,
) -> Path:
    """Run a recipe and return the folder of the finished checkpoint, ``output_dir/model``.

    The run folder also gets ``recipe.json``, ``metrics.json``, ``loss_curve.json`` and ``checkpoint-N``
    folders; ``resume`` goes on from the newest of these with the same examples in the same order, or starts
    anew if there is none. Started by torchrun or accelerate, all processes share the work.

    Args:
        recipe: what to train, on what, how.
        data_dir: where the recipe's files lie.
        output_dir: the run folder.
        resume: goes on with a run that was cut off.
        deepspeed: a DeepSpeed configuration, such as ``recipes/deepspeed-zero2.json``.

    Raises:
        DataError: a data file is missing or has no usable row, or the run folder holds another run.
        LabelwiseError: the loss is not finite.
    """
    newest = _newest_checkpoint(output_dir)
    if newest is not None and not resume:
        raise DataError(f"{output_dir} holds a run already: give --resume or another --output")
    is_first_process = os.environ.get("RANK", "0") == "0"
    set_seed(recipe.seed)
    base = base_folder(recipe.base)
    data = _read(recipe, data_dir)
    encoder = open_encoder(base, settings=recipe.examples)
    validation = FixedExamples(data.validation, encoder=encoder, settings=recipe.examples)
    trainer = _trainer(recipe, data, validation, encoder, base, output_dir, newest, deepspeed)
    if is_first_process:
        output_dir.mkdir(parents=True, exist_ok=True)
        write_json(output_dir / "recipe.json", recipe.to_dict())
    started = time.monotonic()
    trainer.train(resume_from_checkpoint=str(newest) if newest else None)
    figures = trainer.evaluate()
    if is_first_process:
        trainer.accelerator.unwrap_model(trainer.model).float().save_pretrained(output_dir / "model")
        save_tokenizer(base, output_dir / "model", settings=recipe.examples)
        report = {
            "data": {**data.counts, "validation_labels_left_out": validation.num_labels_left_out},
            "seconds_since_start_or_resume": round(time.monotonic() - started),
            "validation": figures,
            "best_checkpoint": trainer.state.best_model_checkpoint,
        }
        write_json(output_dir / "metrics.json", report)
        write_curve(trainer.state.log_history, output_dir)
        log.info("finished, validation loss %.4f: %s", figures["eval_loss"], output_dir / "model")
    return output_dir / "model"


def _read(recipe: LabelRecipe, data_dir: Path) -> _Data:
    shortest = recipe.examples.min_label_characters
    found = read_label_rows([data_dir / name for name in recipe.sources], min_label_characters=shortest)
    left_out = found.left_out
    counts: dict[str, Any] = {}
    if recipe.validation:
        paths = [data_dir / name for name in recipe.validation]
        checked = read_label_rows(paths, min_label_characters=shortest)
        train, validation = found.rows, checked.rows
        left_out += checked.left_out
    else:
        train, validation, counts["labels_held_out"] = held_out_rows(
            found.rows, share=recipe.held_out_share, seed=recipe.seed
        )
    for line in left_out[:_NAMED_ROWS]:
        log.warning("left out: %s", line)
    counts |= {"train_rows": len(train), "validation_rows": len(validation), "rows_left_out": len(left_out)}
    log.info("%d rows to train on, %d to validate, %d left out", len(train), len(validation), len(left_out))
    return _Data(train, validation, counts | {"first_rows_left_out": list(left_out[:_NAMED_ROWS])})


def _trainer(
    recipe: LabelRecipe,
    data: _Data,
    validation: FixedExamples,
    encoder: ExampleEncoder,
    base: Path,
    output_dir: Path,
    newest: Path | None,
    deepspeed: Path | None,
) -> LabelTrainer:
    chosen = recipe.hyperparameters
    order = epochs_order(len(data.train), epochs=chosen.epochs, seed=recipe.seed)
    texts = texts_per_step(chosen)
    # Whole steps only: a last short one would be padded with rows that were seen already.
    num_steps = min(len(order) // texts, chosen.max_steps or len(order))
    if num_steps == 0:
        raise InputError(f"{len(order)} examples do not fill one step of {texts}: lower batch_size")
    arguments = training_arguments(
        chosen,
        output_dir,
        num_steps=num_steps,
        steps_per_epoch=max(1, len(data.train) // texts),
        seed=recipe.seed,
        is_resumed=newest is not None,
        deepspeed=deepspeed,
    )
    model = start_model(base, recipe, lab_token_id=encoder.layout.lab)
    trainer = LabelTrainer(
        model=model,
        args=arguments,
        train_dataset=DrawnExamples(
            data.train,
            order[: num_steps * texts],
            encoder=encoder,
            settings=recipe.examples,
            seed=recipe.seed,
        ),
        eval_dataset=validation,
        data_collator=PadLabelRows(encoder.tokenizer.control.pad or 0),
        compute_metrics=LabelMetrics(validation.labels),
        callbacks=[ReportLines(), *([EarlyStoppingCallback(chosen.patience)] if chosen.patience else [])],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _newest_checkpoint(output_dir: Path) -> Path | None:
    # trainer_state.json is written last: a folder without it was cut off while it was being written.
    complete = [state.parent for state in output_dir.glob("checkpoint-*/trainer_state.json")]
    return max(complete, key=lambda folder: int(folder.name.rpartition("-")[2]), default=None)

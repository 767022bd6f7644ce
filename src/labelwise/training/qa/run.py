"""Train a reader from a recipe: read, hold out, encode, fit, validate, save."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedModel, set_seed

from labelwise.backends.torch import input_names
from labelwise.training.arguments import (
    TrainerSettings,
    check_model,
    num_whole_steps,
    rows_per_step,
    settings_by_epoch,
    training_arguments,
    wanted_precision,
)
from labelwise.training.base import save_checkpoint
from labelwise.training.callbacks import ProgressLines, add_callbacks
from labelwise.training.encoding import length_grouped_order
from labelwise.training.finishing import DataFile, finish_run
from labelwise.training.fit import fit
from labelwise.training.processes import leaving_together
from labelwise.training.qa.batches import PadWindows, WindowRows, span_loss
from labelwise.training.qa.encoding import QaFeatures, encode_examples
from labelwise.training.qa.mix import read_mix
from labelwise.training.qa.recipe import QaRecipe
from labelwise.training.qa.start import ReaderBase, open_base, start_reader
from labelwise.training.qa.validation import QaTrainer, QaValidation
from labelwise.training.run_folder import claim, is_first_process

__all__ = ["train_qa"]

log = logging.getLogger("labelwise.training")
_SHOWN_MEASURES = ("eval_exact", "eval_f1", "eval_HasAns_f1", "eval_NoAns_f1", "eval_best_f1")
_LIMITS = (
    "Answers are parts of the context, word for word: questions that need counting or joining are beyond it.",
    "An empty answer means that the model finds none, which is not proof that the context has none.",
)


@dataclass(frozen=True, slots=True)
class _Prepared:
    base: ReaderBase
    features: QaFeatures
    epoch_rows: NDArray[np.int64]  # the windows of one epoch, some of them more than once
    validation: QaValidation
    counts: dict[str, Any]


@leaving_together()
def train_qa(
    recipe: QaRecipe,
    *,
    data_dir: Path,
    output_dir: Path,
    resume: bool = False,
    deepspeed: Path | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Path:
    """Run a recipe and return the folder of the finished checkpoint, ``output_dir/model``.

    The checkpoint with the best validation F1 (official SQuAD 2.0 measure) becomes the model. The run folder
    also gets ``recipe.json``, ``metrics.json``, ``curves.png`` and ``checkpoint-N`` folders; ``resume`` goes
    on from the newest of these with the same windows in the same order, or starts anew if there is none.
    Started by torchrun or accelerate, all processes share the work.

    Args:
        recipe: what to train, on what, how.
        data_dir: where the recipe's files lie.
        output_dir: the run folder.
        resume: goes on with a run that was cut off.
        deepspeed: a DeepSpeed configuration, such as ``recipes/deepspeed-zero2.json``.
        changes: fields of ``TrainerSettings`` that this machine or run needs otherwise than the recipe says.

    Raises:
        DataError: a source cannot be read or has no usable row, or the run folder holds another run.
        InputError: the recipe asks for what the base or the data do not have.
        LabelwiseError: the loss is not finite.
    """
    newest = claim(output_dir, resume=resume)
    set_seed(recipe.seed)
    base = open_base(recipe, precision=wanted_precision(recipe.hyperparameters, changes))
    prepared = _prepare(recipe, base, data_dir)
    model = start_reader(prepared.base.folder, recipe.hyperparameters)
    settings = settings_by_epoch(
        recipe.hyperparameters, num_rows=len(prepared.epoch_rows), seed=recipe.seed, changes=changes
    )
    check_model(model, settings)
    trainer = _trainer(
        recipe, settings, model, prepared, output_dir, is_resumed=newest is not None, deepspeed=deepspeed
    )
    seconds = fit(trainer, recipe, output_dir, newest=newest)
    figures = trainer.evaluate()
    if is_first_process():
        save_checkpoint(
            trainer.accelerator.unwrap_model(trainer.model),
            prepared.base.folder,
            output_dir / "model",
            max_tokens=recipe.hyperparameters.max_tokens,
        )
        metrics = {
            "data": prepared.counts,
            "seconds_since_start_or_resume": seconds,
            "settings": dataclasses.asdict(settings),
            "validation": {"file": _validation_name(recipe), **figures},
            "best_checkpoint": trainer.state.best_model_checkpoint,
        }
        _finish(recipe, prepared, metrics, trainer, output_dir)
        log.info("finished, validation F1 %.2f: %s", figures["eval_f1"], output_dir / "model")
    return output_dir / "model"


def _prepare(recipe: QaRecipe, base: ReaderBase, data_dir: Path) -> _Prepared:
    chosen = recipe.hyperparameters
    mix = read_mix(recipe, data_dir)
    validation = QaValidation(mix.validation, base, max_question_tokens=chosen.max_question_tokens)
    features = encode_examples(
        mix.train,
        base.tokenizer,
        base.layout,
        max_tokens=chosen.max_tokens,
        stride=chosen.stride,
        max_question_tokens=chosen.max_question_tokens,
        max_empty_windows=chosen.max_empty_windows,
        seed=recipe.seed,
    )
    repeats = np.array(mix.repeats, dtype=np.int64)[features.example_indices]
    counts = {
        **mix.counts,
        "windows": len(features),
        "windows_without_answer": int((features.end_positions == 0).sum()),
        "train_questions_without_window": len(features.examples_left_out),
        "validation_questions_too_long": validation.num_left_out,
    }
    log.info(
        "%d windows, %d of them without an answer, %.1f tokens each",
        len(features),
        counts["windows_without_answer"],
        float(features.lengths.mean()) if len(features) else 0.0,
    )
    return _Prepared(base, features, np.repeat(np.arange(len(features)), repeats), validation, counts)


def _trainer(
    recipe: QaRecipe,
    settings: TrainerSettings,
    model: PreTrainedModel,
    prepared: _Prepared,
    output_dir: Path,
    *,
    is_resumed: bool,
    deepspeed: Path | None,
) -> QaTrainer:
    chosen = recipe.hyperparameters
    rows = prepared.epoch_rows
    windows = rows_per_step(settings)
    order = rows[
        length_grouped_order(
            prepared.features.lengths[rows],
            batch_size=windows,
            epochs=chosen.epochs,
            seed=recipe.seed,
        )
    ]
    num_steps = num_whole_steps(len(order), windows, max_steps=chosen.max_steps, rows="windows")
    trainer = QaTrainer(
        validation=prepared.validation,
        model=model,
        args=training_arguments(
            settings,
            output_dir,
            num_steps=num_steps,
            metric="eval_f1",
            greater_is_better=True,
            is_resumed=is_resumed,
            deepspeed=deepspeed,
            keeps_best=True,
        ),
        train_dataset=WindowRows(prepared.features, order[: num_steps * windows]),
        data_collator=PadWindows(
            prepared.base.tokenizer.control.pad or 0, with_type_ids="token_type_ids" in input_names(model)
        ),
        compute_loss_func=span_loss,
    )
    add_callbacks(
        trainer, ProgressLines(rows="windows", measures=_SHOWN_MEASURES), patience=settings.patience
    )
    return trainer


def _finish(
    recipe: QaRecipe,
    prepared: _Prepared,
    metrics: dict[str, Any],
    trainer: QaTrainer,
    output_dir: Path,
) -> None:
    sources = prepared.counts["sources"]
    finish_run(
        output_dir,
        title=recipe.name,
        base=recipe.base,
        task="qa",
        metrics=metrics,
        log_history=trainer.state.log_history,
        data=[
            DataFile(path=source.name, rows=counts["questions"], licence=source.licence)
            for source, counts in zip(recipe.sources, sources, strict=True)
        ],
        recipe=recipe.to_dict(),
        limits=_LIMITS,
    )


def _validation_name(recipe: QaRecipe) -> str:
    names = [source.name for source in recipe.validation]
    return ", ".join(names) or f"contexts held out of the training sources ({recipe.held_out_share:.1%})"

"""Train a GliZNet model from a recipe: read, split, fit, save."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from transformers import set_seed

from labelwise.training.arguments import (
    TrainerSettings,
    check_model,
    num_whole_steps,
    rows_per_step,
    settings_by_epoch,
    training_arguments,
    wanted_precision,
)
from labelwise.training.base import base_folder, check_base
from labelwise.training.callbacks import ProgressLines, add_callbacks
from labelwise.training.finishing import DataFile, finish_run
from labelwise.training.fit import fit
from labelwise.training.labels.base import open_encoder, save_tokenizer, start_model
from labelwise.training.labels.encoding import (
    DrawnExamples,
    ExampleEncoder,
    FixedExamples,
    PadLabelRows,
    epochs_order,
)
from labelwise.training.labels.metrics import LabelMetrics
from labelwise.training.labels.recipe import LabelRecipe, TextSource
from labelwise.training.labels.rows import held_out_rows, read_label_rows
from labelwise.training.labels.trainer import LabelTrainer
from labelwise.training.processes import leaving_together
from labelwise.training.records import LabelledText
from labelwise.training.run_folder import claim, is_first_process

__all__ = ["train_labels"]

log = logging.getLogger("labelwise.training")
_NAMED_ROWS = 20
_MEASURES = ("eval_loss", "eval_micro_f1", "eval_mrr")


@dataclass(frozen=True, slots=True)
class _Data:
    train: tuple[LabelledText, ...]
    validation: tuple[LabelledText, ...]
    counts: dict[str, Any]


@leaving_together()
def train_labels(
    recipe: LabelRecipe,
    *,
    data_dir: Path,
    output_dir: Path,
    resume: bool = False,
    deepspeed: Path | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Path:
    """Run a recipe and return the folder of the finished checkpoint, ``output_dir/model``.

    The run folder also gets ``recipe.json``, ``metrics.json``, ``curves.png`` and ``checkpoint-N`` folders;
    ``resume`` goes on from the newest of these with the same examples in the same order, or starts anew if
    there is none. Started by torchrun or accelerate, all processes share the work.

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
    set_seed(recipe.seed)
    base = base_folder(recipe.base, needs_tokenizer_file=True)
    check_base(base, precision=wanted_precision(recipe.hyperparameters, changes))
    data = _read(recipe, data_dir)
    encoder = open_encoder(base, settings=recipe.examples)
    validation = FixedExamples(data.validation, encoder=encoder, settings=recipe.examples)
    settings = settings_by_epoch(
        recipe.hyperparameters, num_rows=len(data.train), seed=recipe.seed, changes=changes
    )
    trainer = _trainer(recipe, settings, data, validation, encoder, base, output_dir, newest, deepspeed)
    seconds = fit(trainer, recipe, output_dir, newest=newest)
    figures = trainer.evaluate()
    if is_first_process():
        trainer.accelerator.unwrap_model(trainer.model).float().save_pretrained(output_dir / "model")
        save_tokenizer(base, output_dir / "model", settings=recipe.examples)
    metrics = {
        "data": {**data.counts, "validation_labels_left_out": validation.num_labels_left_out},
        "seconds_since_start_or_resume": seconds,
        "settings": dataclasses.asdict(settings),
        "validation": {"file": _names(recipe.validation) or "labels held out", **figures},
        "best_checkpoint": trainer.state.best_model_checkpoint,
    }
    finish_run(
        output_dir,
        title=recipe.name,
        base=recipe.base,
        task="labels",
        metrics=metrics,
        log_history=trainer.state.log_history,
        data=_data_files(recipe, data),
        recipe=recipe.to_dict(),
        limits=[f"A text is read with at most {recipe.examples.max_labels} labels at a time in training."],
    )
    log.info("finished, validation loss %.4f: %s", figures["eval_loss"], output_dir / "model")
    return output_dir / "model"


def _names(sources: Sequence[TextSource]) -> str:
    return ", ".join(source.path for source in sources)


def _data_files(recipe: LabelRecipe, data: _Data) -> list[DataFile]:
    licences = {source.path: source.licence for source in recipe.sources}
    rows = data.counts["train_rows_by_file"]
    return [
        DataFile(path=path, rows=rows.get(path, 0), licence=licence) for path, licence in licences.items()
    ]


def _read(recipe: LabelRecipe, data_dir: Path) -> _Data:
    read = partial(
        read_label_rows,
        data_dir=data_dir,
        min_label_characters=recipe.examples.min_label_characters,
        seed=recipe.seed,
    )
    found = read(recipe.sources)
    left_out = found.left_out
    counts: dict[str, Any] = {}
    if recipe.validation:
        checked = read(recipe.validation)
        train, validation = found.rows, checked.rows
        left_out += checked.left_out
    else:
        train, validation, counts["labels_held_out"] = held_out_rows(
            found.rows, share=recipe.held_out_share, seed=recipe.seed
        )
    counts["train_rows_by_file"] = found.count_by_path(train)
    for line in left_out[:_NAMED_ROWS]:
        log.warning("left out: %s", line)
    counts |= {"train_rows": len(train), "validation_rows": len(validation), "rows_left_out": len(left_out)}
    log.info("%d rows to train on, %d to validate, %d left out", len(train), len(validation), len(left_out))
    return _Data(train, validation, counts | {"first_rows_left_out": list(left_out[:_NAMED_ROWS])})


def _trainer(
    recipe: LabelRecipe,
    settings: TrainerSettings,
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
    texts = rows_per_step(settings)
    num_steps = num_whole_steps(len(order), texts, max_steps=chosen.max_steps, rows="examples")
    model = start_model(base, recipe, lab_token_id=encoder.layout.lab)
    check_model(model, settings, model_type=model.backbone.config.model_type)
    trainer = LabelTrainer(
        model=model,
        args=training_arguments(
            settings,
            output_dir,
            num_steps=num_steps,
            metric="eval_loss",
            greater_is_better=False,
            is_resumed=newest is not None,
            deepspeed=deepspeed,
            keeps_best=True,
            evaluates_at_start=True,
        ),
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
    )
    add_callbacks(trainer, ProgressLines(rows="texts", measures=_MEASURES), patience=settings.patience)
    return trainer

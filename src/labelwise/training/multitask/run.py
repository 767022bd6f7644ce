"""Train a multi-task model from a recipe: what it starts from first, then all three tasks in turn."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from transformers import set_seed

from labelwise.errors import CheckpointError, InputError
from labelwise.text.isolated_labels import IsolatedLabelsLayout
from labelwise.text.tokenizer import TextTokenizer
from labelwise.training.arguments import TrainerSettings, training_arguments
from labelwise.training.base import base_folder, load_tokenizer, save_tokenizer, write_json
from labelwise.training.callbacks import ProgressLines, add_callbacks
from labelwise.training.encoding import encode_pairs
from labelwise.training.finishing import DataFile, finish_run
from labelwise.training.mix import training_pairs
from labelwise.training.multitask.answer_task import read_answer_task
from labelwise.training.multitask.averaging import average_with_earlier
from labelwise.training.multitask.entail_task import EntailTask
from labelwise.training.multitask.label_rows import read_source
from labelwise.training.multitask.label_task import LabelTask
from labelwise.training.multitask.plan import plan_steps
from labelwise.training.multitask.recipe import MultitaskRecipe, load_multitask_recipe
from labelwise.training.multitask.similarity import add_similarity
from labelwise.training.multitask.start import start_model
from labelwise.training.multitask.trainer import MultitaskTrainer, PlannedSteps, Task
from labelwise.training.multitask.validation import read_validation_sets
from labelwise.training.multitask.watch import Watch
from labelwise.training.nli import train_nli
from labelwise.training.recipe import NliRecipe, load_recipe
from labelwise.training.run_folder import claim, num_processes

__all__ = ["train_multitask"]

log = logging.getLogger("labelwise.training")

_LIMITS = (
    "English only; texts are lower-cased, and accents are dropped.",
    "Labels are judged one by one: a label such as 'other' knows nothing of its neighbours.",
    "Answers are spans of the context, never made up, and never joined from two places.",
)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a run reads and writes."""

    recipe_dir: Path
    data_dir: Path
    output_dir: Path


def train_multitask(
    recipe: MultitaskRecipe, *, recipe_dir: Path, data_dir: Path, output_dir: Path, resume: bool = False
) -> Path:
    """Run a recipe and return the folder of the finished checkpoint, ``output_dir/model``.

    What the recipe starts from is run first, an earlier multi-task recipe in ``output_dir/earlier`` or
    entailment in ``output_dir/entail``; a finished run is not run again. ``resume`` goes on from the newest
    checkpoint with the same rows in the same order.

    Args:
        recipe: what to train, on what, how.
        recipe_dir: where the entailment recipe lies that this one names.
        data_dir: where the data files lie.
        output_dir: the run folder.
        resume: goes on with a run that was cut off.

    Raises:
        DataError: a data file is missing or has no usable row, or the run folder holds another run.
        InputError: several processes were started.
        LabelwiseError: the loss is not finite.
    """
    if num_processes() > 1:
        raise InputError(
            f"{num_processes()} processes were started, and train multitask runs in one: start it without "
            "torchrun, and choose a GPU by CUDA_VISIBLE_DEVICES"
        )
    newest = claim(output_dir, resume=resume)
    place = _Place(recipe_dir, data_dir, output_dir)
    write_json(output_dir / "recipe.json", recipe.to_dict())
    entail_recipe = load_recipe(recipe_dir / recipe.entail_recipe)
    starts = _finished_starts(recipe, entail_recipe, place, resume=resume)
    set_seed(recipe.seed)
    base = base_folder(recipe.base)
    tokenizer = TextTokenizer.from_folder(base)
    model = start_model(base, recipe.hyperparameters, **starts)
    layout = _layout(tokenizer, model.config.max_position_embeddings)
    tasks, data = _tasks(recipe, entail_recipe, base, tokenizer, layout, data_dir)
    sets = read_validation_sets(recipe.validation, data_dir, rows=recipe.validation_rows, seed=recipe.seed)
    watch = Watch(sets, tokenizer, layout, every_steps=recipe.hyperparameters.evaluate_every_steps)
    trainer = _trainer(recipe, model, tasks, watch, output_dir, is_resumed=newest is not None)
    started = time.monotonic()
    trainer.train(resume_from_checkpoint=str(newest) if newest else None)
    label_task = tasks["classify"]
    assert isinstance(label_task, LabelTask)
    if "earlier_model" in starts:
        average_with_earlier(model, starts["earlier_model"], share=recipe.earlier_share)
    add_similarity(model, label_task.rarities, scale=recipe.similarity_scale)
    figures = watch.figures(model)
    model.float().save_pretrained(output_dir / "model")
    save_tokenizer(base, output_dir / "model", max_tokens=recipe.window_tokens)
    finish_run(
        output_dir,
        title=recipe.name,
        base=recipe.base,
        task="multitask",
        metrics={
            "rows": {task: len(found.lengths) for task, found in tasks.items()},
            "seconds_since_start_or_resume": round(time.monotonic() - started),
            "validation": figures,
        },
        log_history=trainer.state.log_history,
        data=data,
        recipe=recipe.to_dict(),
        limits=_LIMITS,
    )
    log.info("finished, macro-F1 %.4f: %s", figures.get("eval_macro_f1", 0.0), output_dir / "model")
    return output_dir / "model"


def _finished_starts(
    recipe: MultitaskRecipe, entail_recipe: NliRecipe, place: _Place, *, resume: bool
) -> dict[str, Path]:
    """Run what the recipe starts from, unless that was done, and return the model's folder by its name."""
    if recipe.earlier_recipe is not None:
        folder = place.output_dir / "earlier"
        if not _is_finished(folder):
            earlier = load_multitask_recipe(place.recipe_dir / recipe.earlier_recipe)
            train_multitask(
                earlier,
                recipe_dir=place.recipe_dir,
                data_dir=place.data_dir,
                output_dir=folder,
                resume=resume,
            )
        return {"earlier_model": folder / "model"}
    if recipe.starts_from_entail:
        folder = place.output_dir / "entail"
        if not _is_finished(folder):
            train_nli(entail_recipe, data_dir=place.data_dir, output_dir=folder, resume=resume)
        return {"entail_model": folder / "model"}
    return {}


def _is_finished(folder: Path) -> bool:
    # metrics.json is written after the model.
    return (folder / "metrics.json").is_file() and (folder / "model" / "model.safetensors").is_file()


def _layout(tokenizer: TextTokenizer, max_positions: int) -> IsolatedLabelsLayout:
    cls, sep = tokenizer.control.cls, tokenizer.control.sep
    if cls is None or sep is None:
        raise CheckpointError("the base's tokenizer has no [CLS] or [SEP]: use an encoder's folder")
    return IsolatedLabelsLayout(cls, sep, max_positions)


def _tasks(
    recipe: MultitaskRecipe,
    entail_recipe: NliRecipe,
    base: Path,
    tokenizer: TextTokenizer,
    layout: IsolatedLabelsLayout,
    data_dir: Path,
) -> tuple[Mapping[str, Task], list[DataFile]]:
    chosen = recipe.hyperparameters
    pairs, num_pairs = training_pairs(entail_recipe, data_dir)
    encoded = encode_pairs(pairs, load_tokenizer(base), max_tokens=chosen.max_pair_tokens)
    sources = [read_source(source, data_dir, seed=recipe.seed) for source in recipe.classify]
    answer = read_answer_task(recipe, tokenizer, data_dir)
    tasks: dict[str, Task] = {
        "classify": LabelTask(sources, tokenizer, layout, chosen, recipe.seed),
        "entail": EntailTask(encoded, tokenizer.control.pad or 0),
        "answer": answer,
    }
    used = [(found.source.path, len(found.rows), found.source.licence) for found in sources]
    used += [(source.name, num_pairs[source.name], source.licence) for source in entail_recipe.sources]
    used += [(source.path, answer.num_questions[source.path], source.licence) for source in recipe.answer]
    return tasks, [DataFile(path=path, rows=rows, licence=licence) for path, rows, licence in used]


def _trainer(
    recipe: MultitaskRecipe,
    model: object,
    tasks: Mapping[str, Task],
    watch: Watch,
    output_dir: Path,
    *,
    is_resumed: bool,
) -> MultitaskTrainer:
    chosen = recipe.hyperparameters
    steps = plan_steps(
        {task: tasks[task].lengths for task in chosen.shares},
        num_steps=chosen.steps,
        shares=chosen.shares,
        batch_sizes=chosen.batch_sizes,
        seed=recipe.seed,
    )
    settings = TrainerSettings(
        learning_rate=chosen.learning_rate,
        batch_size=1,  # an entry of the data set is a whole batch
        warmup_ratio=chosen.warmup_ratio,
        weight_decay=chosen.weight_decay,
        max_grad_norm=chosen.max_grad_norm,
        log_every_steps=chosen.log_every_steps,
        evaluate_every_steps=chosen.evaluate_every_steps,
        save_every_steps=chosen.save_every_steps,
        seed=recipe.seed,
        precision=chosen.precision,
    )
    arguments = training_arguments(
        settings,
        output_dir,
        num_steps=chosen.steps,
        metric="eval_macro_f1",
        greater_is_better=True,
        is_resumed=is_resumed,
        eval_strategy="no",  # the watch measures, with all labels of a set in one row
    )
    trainer = MultitaskTrainer(
        chosen=chosen,
        model=model,
        args=arguments,
        train_dataset=PlannedSteps(steps, tasks),
        callbacks=[watch],
    )
    mean_rows = sum(share * chosen.batch_sizes[task] for task, share in chosen.shares.items()) / sum(
        chosen.shares.values()
    )
    add_callbacks(trainer, ProgressLines(rows_per_step=round(mean_rows)))
    return trainer

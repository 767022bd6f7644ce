"""Fine-tune a shrunk student by an NLI recipe, from hard labels alone or with a teacher's signal on top."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel, set_seed

from labelwise.checkpoints.heads import NliHead
from labelwise.checkpoints.json_file import read_json_object
from labelwise.checkpoints.settings import read_settings
from labelwise.distillation.families import Side
from labelwise.distillation.finetune import Signal, Teacher, freeze, load_student, load_teacher
from labelwise.distillation.shrink import copy_settings, read_config
from labelwise.distillation.student_folder import copy_files, name_of_model
from labelwise.errors import CheckpointError, InputError
from labelwise.training.arguments import TrainerSettings, check_model, rows_per_step, settings_from
from labelwise.training.base import base_folder, check_base, read_vocabulary, save_checkpoint
from labelwise.training.callbacks import FiniteLoss, check_finite
from labelwise.training.finishing import finish_run
from labelwise.training.fit import fit
from labelwise.training.pair_data import data_files, read_pair_data
from labelwise.training.pair_trainer import pair_trainer
from labelwise.training.processes import leaving_together
from labelwise.training.recipe import NliRecipe
from labelwise.training.run_folder import claim, is_first_process

__all__ = ["Lessons", "fine_tune_student"]

log = logging.getLogger("labelwise.training")

# As published with No Teacher Distillation (patil-suraj/distillbart-mnli); all else is the recipe's.
_ADAM_BETA2 = 0.98
_PLAN_FILE = "distillation.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """What a student learns from, and what of it does not learn.

    Attributes:
        teacher: the folder of a teacher with the student's classes and tokens; None learns from hard labels
            alone, which is No Teacher Distillation.
        signal: what is learnt from the teacher.
        freezes_encoder: only a decoder (BART) and the head learn.
        freezes_embeddings: the token, position and type tables stay as they are.
    """

    teacher: Path | None = None
    signal: Signal = dataclasses.field(default_factory=Signal)
    freezes_encoder: bool = False
    freezes_embeddings: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return what was chosen, for JSON; of the teacher's path only its name."""
        taught = {} if self.teacher is None else dataclasses.asdict(self.signal)
        return {
            "teacher": None if self.teacher is None else name_of_model(self.teacher),
            **taught,
            "freezes_encoder": self.freezes_encoder,
            "freezes_embeddings": self.freezes_embeddings,
        }


@leaving_together()
def fine_tune_student(
    recipe: NliRecipe,
    student: Path,
    *,
    data_dir: Path,
    output_dir: Path,
    lessons: Lessons | None = None,
    resume: bool = False,
    deepspeed: Path | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Path:
    """Train a student as ``shrink`` wrote it, and return the finished checkpoint, ``output_dir/model``.

    The recipe gives data, validation and hyper-parameters; its base and the order of its classes give way to
    the student's. The run folder is that of ``train_nli``.

    Args:
        recipe: on what and how.
        student: the folder of the student, which stays as it is.
        data_dir: where the recipe's files lie.
        output_dir: the run folder.
        lessons: a teacher, and what is frozen; left out, hard labels alone and nothing frozen.
        resume: goes on with a run that was cut off, in the same data order.
        deepspeed: a DeepSpeed configuration.
        changes: fields of ``TrainerSettings`` that go before the recipe's.

    Raises:
        DataError: a data file is missing or has no usable row, or the run folder holds another run.
        InputError: the student cannot be trained with these settings or by this teacher.
        CheckpointError: the student has no entailment head, or was not made by ``shrink``.
        LabelwiseError: the loss is not finite.
    """
    chosen = lessons or Lessons()
    newest = claim(output_dir, resume=resume)
    recipe = replace(recipe, classes=_classes(student), base=str(base_folder(str(student))))
    settings = settings_from(recipe.hyperparameters, seed=recipe.seed, changes=changes)
    check_base(student, precision=settings.precision, max_tokens=recipe.hyperparameters.max_tokens)
    set_seed(recipe.seed)
    model = _prepared(student, recipe, settings, chosen)
    teacher = _teacher(student, model, recipe, chosen)
    data = read_pair_data(recipe, student, data_dir, rows_per_step(settings))
    trainer = pair_trainer(
        recipe,
        settings,
        model,
        data,
        output_dir,
        kind=partial(_Distiller, teacher=teacher),
        is_resumed=newest is not None,
        deepspeed=deepspeed,
        evaluates_at_start=True,
        adam_beta2=_ADAM_BETA2,
    )
    seconds = fit(trainer, recipe, output_dir, newest=newest)
    figures = trainer.evaluate(data.validation)
    if is_first_process():
        _save(trainer.accelerator.unwrap_model(trainer.model), student, output_dir / "model", recipe)
    metrics = {
        "train_pairs": len(data.train),
        "pairs_per_source": data.pairs_per_source,
        "seconds_since_start_or_resume": seconds,
        "settings": {**dataclasses.asdict(settings), "adam_beta2": _ADAM_BETA2, **chosen.to_dict()},
        "validation": {"file": recipe.validation, **figures},
        "best_checkpoint": trainer.state.best_model_checkpoint,
    }
    finish_run(
        output_dir,
        title=recipe.name,
        base=_plan(student)["teacher_folder"],
        task="nli",
        metrics=metrics,
        log_history=trainer.state.log_history,
        data=data_files(recipe, data.pairs_per_source),
        recipe=recipe.to_dict(),
        limits=[f"Longer texts than {recipe.hyperparameters.max_tokens} tokens are read in windows."],
        command=_command(_plan(student), chosen),
        origin=_origin(_plan(student), chosen),
    )
    log.info("finished, validation accuracy %.4f: %s", figures["eval_accuracy"], output_dir / "model")
    return output_dir / "model"


def _classes(student: Path) -> tuple[str, ...]:
    head = NliHead.from_config(read_config(student), roles=read_settings(student).label_roles)
    names = sorted(head.roles, key=head.roles.__getitem__)
    if head.neutral is not None:
        return tuple(names)
    # Of two classes, the other one is everything that does not follow, whatever it is called.
    return tuple(name if name == "entailment" else "not_entailment" for name in names)


def _plan(student: Path) -> Mapping[str, Any]:
    if not (student / _PLAN_FILE).is_file():
        raise CheckpointError(f"{student} has no {_PLAN_FILE}: make the student with 'labelwise distill'")
    return read_json_object(student / _PLAN_FILE)


def _prepared(
    student: Path, recipe: NliRecipe, settings: TrainerSettings, lessons: Lessons
) -> PreTrainedModel:
    hyper = recipe.hyperparameters
    model = load_student(student, dropout=hyper.dropout, attention=hyper.attention)
    check_model(model, settings)
    freeze(model, encoder=lessons.freezes_encoder, embeddings=lessons.freezes_embeddings)
    if hyper.freeze_word_embeddings:
        model.get_input_embeddings().weight.requires_grad_(False)
    return model


def _teacher(student: Path, model: PreTrainedModel, recipe: NliRecipe, lessons: Lessons) -> Teacher | None:
    if lessons.teacher is None:
        return None
    if read_vocabulary(base_folder(str(lessons.teacher))) != read_vocabulary(student):
        raise InputError(
            f"the teacher {lessons.teacher} reads other tokens than the student: use a teacher with the "
            "student's tokenizer, and trim the vocabulary only after the fine-tuning"
        )
    kept: dict[Side, tuple[int, ...]] = {
        side: tuple(layers) for side, layers in _plan(student)["kept_layers"].items()
    }
    return load_teacher(
        lessons.teacher,
        model,
        kept=kept,
        signal=lessons.signal,
        attention=recipe.hyperparameters.attention,
    )


def _save(trained: PreTrainedModel, student: Path, folder: Path, recipe: NliRecipe) -> None:
    save_checkpoint(trained, student, folder, max_tokens=recipe.hyperparameters.max_tokens)
    copy_settings(student, folder)
    copy_files(student, folder, (_PLAN_FILE,))


def _command(plan: Mapping[str, Any], lessons: Lessons) -> str:
    kept = plan["kept_layers"]
    flags = {
        "--keep-layers": ",".join(map(str, kept["encoder"])),
        "--keep-decoder-layers": ",".join(map(str, kept["decoder"])) if "decoder" in kept else None,
        "--trim-vocabulary": "TEXTS" if "vocabulary" in plan else None,
        "--output": "RUN",
        "--fine-tune": "recipe.json",
        "--data": "DATA",
    }
    if lessons.teacher is not None:
        signal = lessons.signal
        flags["--teacher"] = name_of_model(lessons.teacher)
        flags["--soft-label-weight"] = str(signal.soft_label_weight)
        flags["--hidden-state-weight"] = str(signal.hidden_state_weight)
        flags["--teacher-temperature"] = str(signal.temperature)
    words = [f"{flag} {value}" for flag, value in flags.items() if value is not None]
    words += ["--freeze-encoder"] * lessons.freezes_encoder + [
        "--freeze-embeddings"
    ] * lessons.freezes_embeddings
    return f"labelwise distill {plan['teacher_folder']} {' '.join(words)}"


def _origin(plan: Mapping[str, Any], lessons: Lessons) -> str:
    layers = " and ".join(
        f"{side} layers {', '.join(map(str, kept))}" for side, kept in plan["kept_layers"].items()
    )
    if lessons.teacher is None:
        how = "hard labels alone"
    else:
        how = f"hard labels and the signal of `{name_of_model(lessons.teacher)}`"
    return (
        f"A student of `{plan['teacher_folder']}`, made with `labelwise distill`: it has the {layers} of its "
        f"teacher, fine-tuned from {how}."
    )


class _Distiller(FiniteLoss):
    """A Trainer whose training loss may listen to a teacher; validation never does."""

    def __init__(self, *, teacher: Teacher | None, **settings: Any) -> None:
        super().__init__(**settings)
        self._teacher = teacher
        if teacher is not None:
            teacher.model.to(self.args.device)

    def compute_loss(
        self, model: torch.nn.Module, inputs: dict[str, Any], return_outputs: bool = False, **kwargs: Any
    ) -> Any:
        if self._teacher is None or not model.training:
            return super().compute_loss(model, inputs, return_outputs, **kwargs)
        features = {name: value for name, value in inputs.items() if name != "labels"}
        share = self._share(len(inputs["labels"]), kwargs.get("num_items_in_batch"))
        wanted = {**inputs, "output_hidden_states": self._teacher.shows_states}
        loss, outputs = super().compute_loss(model, wanted, return_outputs=True, **kwargs)
        with self.accelerator.autocast():
            loss = loss + share * self._teacher.loss(outputs, features)
        check_finite(loss, after_step=self.state.global_step)
        return (loss, outputs) if return_outputs else loss

    def _share(self, num_rows: int, num_items: torch.Tensor | int | None) -> float:
        """Return what makes a mean over these rows a summand, as the Trainer does with its own loss."""
        if num_items is None:
            return 1.0
        scale = 1
        if self.args.average_tokens_across_devices:
            scale = self.accelerator.num_processes if self.args.n_gpu <= 1 else self.args.n_gpu
        return num_rows * scale / float(num_items)

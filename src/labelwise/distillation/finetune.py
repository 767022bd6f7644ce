"""Fine-tune a shrunk student: No Teacher Distillation's recipe, with a teacher's signal on top if wanted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset
from transformers import PreTrainedModel, Trainer, TrainingArguments, set_seed

from labelwise.distillation.families import Side
from labelwise.distillation.losses import hidden_state_loss, soft_label_loss
from labelwise.errors import InputError, LabelwiseError

__all__ = ["FineTuning", "Teacher", "fine_tune", "freeze", "load_student"]

_HIDDEN_STATES: dict[Side, tuple[str, ...]] = {
    "encoder": ("encoder_hidden_states", "hidden_states"),
    "decoder": ("decoder_hidden_states",),
}


@dataclass(frozen=True, slots=True)
class FineTuning:
    """Hyper-parameters; the defaults are those of patil-suraj/distillbart-mnli."""

    learning_rate: float = 3e-5
    weight_decay: float = 0.01
    adam_beta2: float = 0.98
    warmup_steps: int = 500
    epochs: float = 2.0
    max_steps: int | None = None
    batch_size: int = 32
    accumulation_steps: int = 4
    log_every_steps: int = 50
    save_every_steps: int = 1500
    seed: int = 42

    def __post_init__(self) -> None:
        for name in ("learning_rate", "epochs", "batch_size", "accumulation_steps", "log_every_steps"):
            if not 0 < getattr(self, name) < math.inf:
                raise InputError(f"{name} must be above 0, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class Teacher:
    """A teacher and what is learnt from it.

    The loss is cross-entropy + ``soft_label_weight`` T^2 KL + ``hidden_state_weight`` MSE. ``kept`` names the
    teacher's layers that the student was made from, by side (``StudentPlan.kept``).
    """

    model: PreTrainedModel
    kept: Mapping[Side, Sequence[int]]
    soft_label_weight: float = 1.0
    hidden_state_weight: float = 0.0
    temperature: float = 2.0

    def __post_init__(self) -> None:
        if self.temperature <= 0.0 or min(self.soft_label_weight, self.hidden_state_weight) < 0.0:
            raise InputError(
                f"the temperature must be above 0 and weights not below, got {self.temperature}, "
                f"{self.soft_label_weight}, {self.hidden_state_weight}"
            )


def load_student(folder: Path) -> PreTrainedModel:
    """Load a student in float32 for training, without dropout in its attention, as published."""
    from transformers import AutoConfig, AutoModelForSequenceClassification

    config = AutoConfig.from_pretrained(folder)
    for name in ("attention_dropout", "attention_probs_dropout_prob"):
        if hasattr(config, name):
            setattr(config, name, 0.0)
    model: PreTrainedModel = AutoModelForSequenceClassification.from_pretrained(
        folder, config=config, dtype="float32", use_safetensors=True
    )
    return model


def freeze(model: PreTrainedModel, *, encoder: bool = False, embeddings: bool = False) -> None:
    """Take a BART encoder, or a model's token, position and type tables, out of the training.

    Raises:
        InputError: the encoder is all there is, so that nothing but the head would learn.
    """
    base = model.base_model
    if encoder:
        if not hasattr(base, "decoder"):
            raise InputError("without a decoder the encoder cannot be frozen: freeze the embeddings instead")
        base.encoder.requires_grad_(False)
    if embeddings:
        if hasattr(base, "embeddings"):
            base.embeddings.requires_grad_(False)
            return
        model.get_input_embeddings().requires_grad_(False)
        base.encoder.embed_positions.requires_grad_(False)
        base.decoder.embed_positions.requires_grad_(False)


def fine_tune(
    student: PreTrainedModel,
    rows: Dataset[Any],
    *,
    collate: Callable[[list[Any]], dict[str, torch.Tensor]],
    output_dir: Path,
    settings: FineTuning | None = None,
    teacher: Teacher | None = None,
    resume: bool = False,
) -> list[dict[str, float]]:
    """Train a student in place and return the curve: loss by step, as the Trainer logs it.

    ``collate`` gives ``input_ids``, ``attention_mask`` and ``labels``. Without a teacher the loss is
    cross-entropy alone (No Teacher Distillation).

    Raises:
        LabelwiseError: the loss is not finite.
    """
    chosen = settings or FineTuning()
    set_seed(chosen.seed)
    trainer = _DistillationTrainer(
        teacher=teacher,
        model=student,
        args=_arguments(chosen, output_dir),
        train_dataset=rows,
        data_collator=collate,
    )
    trainer.train(resume_from_checkpoint=resume or None)
    return [entry for entry in trainer.state.log_history if "loss" in entry]


def _arguments(chosen: FineTuning, output_dir: Path) -> TrainingArguments:
    on_cpu = not torch.cuda.is_available()
    return TrainingArguments(
        output_dir=str(output_dir),
        num_train_epochs=chosen.epochs,
        max_steps=chosen.max_steps or -1,
        per_device_train_batch_size=chosen.batch_size,
        gradient_accumulation_steps=chosen.accumulation_steps,
        learning_rate=chosen.learning_rate,
        weight_decay=chosen.weight_decay,
        adam_beta2=chosen.adam_beta2,
        warmup_steps=chosen.warmup_steps,
        logging_steps=chosen.log_every_steps,
        logging_nan_inf_filter=False,
        save_steps=chosen.save_every_steps,
        save_total_limit=2,
        seed=chosen.seed,
        use_cpu=on_cpu,
        dataloader_pin_memory=not on_cpu,
        remove_unused_columns=False,
        disable_tqdm=True,
        report_to="none",
        log_level="error",
    )


class _DistillationTrainer(Trainer):  # type: ignore[misc]  # transformers has no types
    """A Trainer whose loss may listen to a teacher."""

    def __init__(self, *, teacher: Teacher | None, **settings: Any) -> None:
        super().__init__(**settings)
        self._teacher = teacher
        # The loss below is a mean, so the Trainer must divide it by the number of accumulated batches.
        self.model_accepts_loss_kwargs = False
        if teacher is not None:
            teacher.model.eval().requires_grad_(False).to(self.args.device)

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        labels = inputs["labels"]
        features = {name: value for name, value in inputs.items() if name != "labels"}
        wants_states = self._teacher is not None and self._teacher.hidden_state_weight > 0.0
        outputs = model(**features, output_hidden_states=wants_states)
        loss = torch.nn.functional.cross_entropy(outputs["logits"].float(), labels)
        if self._teacher is not None:
            loss = loss + _teacher_loss(self._teacher, outputs, features, wants_states=wants_states)
        if not bool(torch.isfinite(loss)):
            raise LabelwiseError(f"the loss is {loss.item()}: lower learning_rate and start again")
        return (loss, outputs) if return_outputs else loss


def _teacher_loss(
    teacher: Teacher, outputs: Any, features: dict[str, torch.Tensor], *, wants_states: bool
) -> torch.Tensor:
    with torch.no_grad():
        taught = teacher.model(**features, output_hidden_states=wants_states)
    soft = soft_label_loss(outputs["logits"], taught["logits"], temperature=teacher.temperature)
    loss = teacher.soft_label_weight * soft
    if not wants_states:
        return loss
    for side, kept in teacher.kept.items():
        name = next(name for name in _HIDDEN_STATES[side] if name in outputs)
        distance = hidden_state_loss(
            outputs[name], taught[name], kept=kept, attention_mask=features["attention_mask"]
        )
        loss = loss + teacher.hidden_state_weight * distance
    return loss

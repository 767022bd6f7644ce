"""What transformers' Trainer is told, the same for every kind of training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel, TrainingArguments

from labelwise.errors import InputError
from labelwise.training.run_folder import num_processes
from labelwise.training.settings import Precision, TrainerSettings, settings_from

__all__ = [
    "TrainerSettings",
    "check_model",
    "check_precision",
    "num_whole_steps",
    "rows_per_step",
    "settings_by_epoch",
    "settings_from",
    "training_arguments",
    "wanted_precision",
]

_OVERFLOWING = {
    "deberta-v2": "DeBERTa-v2, v3 and mDeBERTa have activations beyond 65,504, the largest fp16 number",
    "t5": "T5 was pretrained in bf16 and has activations beyond 65,504, the largest fp16 number",
    "mt5": "mT5 was pretrained in bf16 and has activations beyond 65,504, the largest fp16 number",
}


def rows_per_step(settings: TrainerSettings) -> int:
    """Return how many rows a step reads, over all processes, and all GPUs where there is one process."""
    devices = max(1, torch.cuda.device_count()) if num_processes() == 1 else num_processes()
    return settings.batch_size * settings.accumulation * devices


def num_whole_steps(num_rows: int, rows_per_step: int, *, max_steps: int | None, rows: str) -> int:
    """Return how many steps a run has: a last short one would be padded with rows that were seen already.

    Args:
        num_rows: of all epochs.
        rows_per_step: as the function of that name says.
        max_steps: ends the run before; None does not.
        rows: what one step reads, for the message.

    Raises:
        InputError: the rows do not fill one step.
    """
    num_steps = min(num_rows // rows_per_step, max_steps or num_rows)
    if num_steps == 0:
        raise InputError(f"{num_rows} {rows} do not fill one step of {rows_per_step}: lower batch_size")
    return num_steps


def settings_by_epoch(
    hyperparameters: Any, *, num_rows: int, seed: int, changes: Mapping[str, Any] | None
) -> TrainerSettings:
    """Take over hyper-parameters as ``settings_from``; where they do not say when, validate once an epoch.

    Args:
        hyperparameters: the recipe's, with ``evaluate_every_steps``.
        num_rows: of an epoch.
        seed: the recipe's.
        changes: what comes before the recipe.

    Raises:
        InputError: a value is out of range.
    """

    def validated_every(steps: int) -> TrainerSettings:
        return settings_from(
            hyperparameters, seed=seed, evaluate_every_steps=steps, save_every_steps=steps, changes=changes
        )

    chosen = hyperparameters.evaluate_every_steps
    return validated_every(chosen or max(1, num_rows // rows_per_step(validated_every(1))))


def wanted_precision(hyperparameters: Any, changes: Mapping[str, Any] | None) -> str:
    """Return the precision of the settings to come, for what is checked before the rows are counted."""
    return str((changes or {}).get("precision") or hyperparameters.precision)


def check_precision(model_type: str, precision: str) -> None:
    """Refuse fp16 where it gives numbers that are not finite, or where there is no GPU.

    Raises:
        InputError: with the reason.
    """
    if precision != "fp16":
        return
    if model_type in _OVERFLOWING:
        raise InputError(
            f"precision fp16 does not work for {model_type}: {_OVERFLOWING[model_type]}; use bf16 or fp32"
        )
    if not torch.cuda.is_available():
        raise InputError("precision fp16 needs a GPU, and there is none here: use bf16 or fp32")


def check_model(model: PreTrainedModel, settings: TrainerSettings, *, model_type: str | None = None) -> None:
    """Refuse settings that the model cannot be trained with.

    Args:
        model: the model to train.
        settings: how.
        model_type: of the encoder, where the model has a configuration of its own around it.

    Raises:
        InputError: fp16 overflows, or there is no gradient checkpointing for this model.
    """
    own_type = str(model.config.model_type)
    check_precision(model_type or own_type, settings.precision)
    if settings.is_gradient_checkpointed and not model.supports_gradient_checkpointing:
        raise InputError(f"{own_type} has no gradient checkpointing: lower batch_size instead")


def training_arguments(
    settings: TrainerSettings,
    output_dir: Path,
    *,
    num_steps: int,
    metric: str,
    greater_is_better: bool,
    is_resumed: bool,
    deepspeed: Path | None = None,
    keeps_best: bool | None = None,
    evaluates_at_start: bool = False,
    eval_batch_size: int | None = None,
    **changes: Any,
) -> TrainingArguments:
    """Return the Trainer's arguments for a run whose rows lie in order: one pass, in sequence, is the run.

    Args:
        settings: how the weights are fitted.
        output_dir: the run folder.
        num_steps: of the whole run.
        metric: the validation measure that says which checkpoint is best, such as ``eval_accuracy``.
        greater_is_better: of the measure.
        is_resumed: the run goes on from a checkpoint.
        deepspeed: a DeepSpeed configuration.
        keeps_best: the run ends with the best weights instead of the last; left out, when there is patience.
            Checkpoints are then written at evaluations.
        evaluates_at_start: measures the weights before the first step too.
        eval_batch_size: rows per process in validation; left out, ``batch_size``.
        changes: further arguments by the Trainer's own names, which come before those of here.
    """
    keeps = settings.patience is not None if keeps_best is None else keeps_best
    evaluate_every = min(settings.evaluate_every_steps, num_steps)
    save_every = settings.save_every_steps
    if keeps and save_every % evaluate_every:
        save_every = evaluate_every
    on_cpu = not torch.cuda.is_available()
    chosen: dict[str, Any] = {
        "num_train_epochs": 1,
        "train_sampling_strategy": "sequential",
        "per_device_train_batch_size": settings.batch_size,
        "per_device_eval_batch_size": eval_batch_size or settings.batch_size,
        "gradient_accumulation_steps": settings.accumulation,
        "learning_rate": settings.learning_rate,
        "lr_scheduler_type": settings.scheduler,
        "warmup_steps": round(num_steps * settings.warmup_ratio),
        "weight_decay": settings.weight_decay,
        "max_grad_norm": settings.max_grad_norm,
        "optim": "adamw_torch_fused",
        "seed": settings.seed,
        "data_seed": settings.seed,
        "deepspeed": str(deepspeed) if deepspeed else None,
        "logging_steps": settings.log_every_steps,
        "eval_strategy": "steps",
        "eval_steps": evaluate_every,
        "eval_on_start": evaluates_at_start and not is_resumed,
        "save_strategy": "steps",
        "save_steps": save_every,
        "load_best_model_at_end": keeps,
        "metric_for_best_model": metric,
        "greater_is_better": greater_is_better,
        "label_names": ["labels"],
    }
    return TrainingArguments(
        str(output_dir),
        **{
            **chosen,
            **_fixed(on_cpu),
            **_precision(settings.precision, on_cpu),
            **_memory(settings),
            **changes,
        },
    )


def _fixed(on_cpu: bool) -> dict[str, Any]:
    return {
        "use_cpu": on_cpu,
        "ddp_backend": "gloo" if on_cpu and num_processes() > 1 else None,
        "dataloader_pin_memory": not on_cpu,
        "logging_nan_inf_filter": False,
        "save_total_limit": 2,
        # Early stopping counts on from where it was.
        "restore_callback_states_from_checkpoint": True,
        "remove_unused_columns": False,
        "disable_tqdm": True,
        "report_to": "none",
        "log_level": "error",
    }


def _precision(precision: Precision, on_cpu: bool) -> dict[str, Any]:
    has_bf16_gpu = not on_cpu and torch.cuda.is_bf16_supported()
    return {
        "bf16": precision == "bf16" or (precision == "auto" and has_bf16_gpu),
        "fp16": precision == "fp16",
    }


def _memory(settings: TrainerSettings) -> dict[str, Any]:
    if not settings.is_gradient_checkpointed:
        return {}
    # transformers 5.2x renames gradient_checkpointing to activation_checkpointing.
    known = TrainingArguments.__dataclass_fields__
    name = "activation_checkpointing" if "activation_checkpointing" in known else "gradient_checkpointing"
    return {name: True, f"{name}_kwargs": {"use_reentrant": False}}

"""transformers' Trainer with one change, a check of every loss, and what it is told for these runs."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import torch
from transformers import (
    PreTrainedModel,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from labelwise.errors import LabelwiseError
from labelwise.models.losses import IGNORED
from labelwise.training.labels.recipe import LabelHyperparameters

__all__ = ["LabelTrainer", "ReportLines", "texts_per_step", "training_arguments"]

log = logging.getLogger("labelwise.training")


class LabelTrainer(Trainer):  # type: ignore[misc]
    """A Trainer that stops at the first loss that is not finite.

    The model counts such a part of its loss as 0, which would hide it: the logits are looked at as well.
    """

    def compute_loss(
        self, model: PreTrainedModel, inputs: dict[str, Any], return_outputs: bool = False, **kwargs: Any
    ) -> Any:
        """Return the loss, and the outputs where asked for.

        Raises:
            LabelwiseError: the loss or a logit is not finite.
        """
        loss, outputs = super().compute_loss(model, inputs, return_outputs=True, **kwargs)
        logits = outputs["logits"][:, : inputs["labels"].shape[1]]
        judged = inputs["labels"][:, : logits.shape[1]] != IGNORED
        if not bool(torch.isfinite(loss) & torch.isfinite(logits[judged]).all()):
            raise LabelwiseError(
                f"the loss is not finite after step {self.state.global_step}: lower learning_rate, or use "
                "precision fp32; --resume goes on from the last checkpoint"
            )
        return (loss, outputs) if return_outputs else loss


class ReportLines(TrainerCallback):  # type: ignore[misc]
    """Log one line for each report of the Trainer."""

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float],
        **_: Any,
    ) -> None:
        """Log the loss, or the main figures of a validation."""
        if not state.is_world_process_zero:
            return
        if "eval_loss" in logs:
            log.info(
                "step %d, validation loss %.4f, micro F1 %.4f, MRR %.4f",
                state.global_step,
                logs["eval_loss"],
                logs["eval_micro_f1"],
                logs.get("eval_mrr", float("nan")),
            )
        elif "loss" in logs:
            log.info("step %d of %d, loss %.4f", state.global_step, state.max_steps, logs["loss"])


def texts_per_step(chosen: LabelHyperparameters) -> int:
    """Return how many texts a step reads, over all processes, and all GPUs where there is one process."""
    num_processes = int(os.environ.get("WORLD_SIZE", "1"))
    num_devices = max(1, torch.cuda.device_count()) if num_processes == 1 else num_processes
    return chosen.batch_size * chosen.accumulation * num_devices


def training_arguments(
    chosen: LabelHyperparameters,
    output_dir: Path,
    *,
    num_steps: int,
    steps_per_epoch: int,
    seed: int,
    is_resumed: bool,
    deepspeed: Path | None,
) -> TrainingArguments:
    """Return what the Trainer is told; the order of all epochs is laid out beforehand, read in sequence."""
    on_cpu = not torch.cuda.is_available()
    every = min(chosen.evaluate_every_steps or steps_per_epoch, num_steps)
    return TrainingArguments(
        output_dir=str(output_dir),
        num_train_epochs=1,
        train_sampling_strategy="sequential",
        per_device_train_batch_size=chosen.batch_size,
        per_device_eval_batch_size=chosen.batch_size,
        gradient_accumulation_steps=chosen.accumulation,
        learning_rate=chosen.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=round(num_steps * chosen.warmup_ratio),
        weight_decay=chosen.weight_decay,
        max_grad_norm=chosen.max_grad_norm,
        bf16=chosen.precision == "bf16" or (chosen.precision == "auto" and not on_cpu),
        use_cpu=on_cpu,
        ddp_backend="gloo" if on_cpu and "WORLD_SIZE" in os.environ else None,
        dataloader_pin_memory=not on_cpu,
        deepspeed=str(deepspeed) if deepspeed else None,
        seed=seed,
        data_seed=seed,
        logging_steps=chosen.log_every_steps,
        logging_nan_inf_filter=False,
        eval_on_start=not is_resumed,
        eval_strategy="steps",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model="eval_loss",
        greater_is_better=False,
        restore_callback_states_from_checkpoint=True,
        label_names=["labels"],
        remove_unused_columns=False,
        disable_tqdm=True,
        report_to="none",
        log_level="error",
    )

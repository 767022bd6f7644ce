"""What a training run says while it runs."""

from __future__ import annotations

import logging
import time
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

__all__ = ["ProgressLines"]

log = logging.getLogger("labelwise.training")


class ProgressLines(TrainerCallback):  # type: ignore[misc]
    """Log loss, learning rate, pairs per second and time left whenever the Trainer reports."""

    def __init__(self) -> None:
        self._started = 0.0
        self._first_step = 0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Start the clock; a resumed run counts from the step it resumed at."""
        self._started = time.monotonic()
        self._first_step = state.global_step

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float],
        **_: Any,
    ) -> None:
        """Log one line for a training report or a validation report."""
        if "eval_accuracy" in logs:
            log.info("step %d, validation accuracy %.4f", state.global_step, logs["eval_accuracy"])
        if "loss" not in logs:
            return
        done_steps = max(state.global_step - self._first_step, 1)
        seconds_per_step = (time.monotonic() - self._started) / done_steps
        log.info(
            "step %d of %d, loss %.4f, learning rate %.2e, %.0f pairs/s, %.0f min left",
            state.global_step,
            state.max_steps,
            logs["loss"],
            logs.get("learning_rate", 0.0),
            args.train_batch_size * args.world_size / seconds_per_step,
            (state.max_steps - state.global_step) * seconds_per_step / 60,
        )

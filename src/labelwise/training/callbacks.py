"""What a training run says while it runs, and what stops it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from transformers import (
    EarlyStoppingCallback,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from labelwise.errors import LabelwiseError

__all__ = ["FiniteLoss", "Patience", "ProgressLines", "add_callbacks", "check_finite"]

log = logging.getLogger("labelwise.training")

_TIMINGS = ("eval_runtime", "eval_samples_per_second", "eval_steps_per_second")


class FiniteLoss(Trainer):  # type: ignore[misc]  # transformers has no types
    """A Trainer that stops at the first loss that is not finite; subclasses may look at the outputs too."""

    def compute_loss(
        self, model: torch.nn.Module, inputs: dict[str, Any], return_outputs: bool = False, **kwargs: Any
    ) -> Any:
        """Return the loss, and the outputs where asked for.

        Raises:
            LabelwiseError: the loss is not finite, or ``are_finite`` says no.
        """
        given = dict(inputs)  # the Trainer takes the labels out
        loss, outputs = super().compute_loss(model, inputs, return_outputs=True, **kwargs)
        if not self.are_finite(outputs, given):
            loss = loss * float("nan")
        check_finite(loss, after_step=self.state.global_step)
        return (loss, outputs) if return_outputs else loss

    def are_finite(self, outputs: Any, inputs: Mapping[str, Any]) -> bool:
        """Say whether the outputs may be learned from; asked for each batch."""
        return True


class ProgressLines(TrainerCallback):  # type: ignore[misc]  # transformers has no types
    """Log one line for each report of the Trainer: step, losses, learning rate, rows per second, time left.

    Validation reports name their figures; the end names the step whose weights are kept.
    """

    def __init__(
        self,
        *,
        rows: str = "rows",
        measures: Sequence[str] | None = None,
        rows_per_step: int | None = None,
        sample: tuple[int, int] | None = None,
    ) -> None:
        """Say what is reported.

        Args:
            rows: what a row is, in the plural.
            measures: the validation figures to name, such as ``eval_loss``; all where left out.
            rows_per_step: where the Trainer's batch size does not tell.
            sample: how many rows of how many are validated while the training goes on; afterwards all are.
                Left out, these are the same.
        """
        self._rows = rows
        self._measures = measures
        self._rows_per_step = rows_per_step
        self._sample = sample
        self._is_training = True
        self._started = 0.0
        self._first_step = 0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Start the clock; a resumed run counts from the step it resumed at."""
        self._is_training = True
        self._started = time.monotonic()
        self._first_step = state.global_step

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Name the step whose weights the run ends with, where these are the best ones."""
        self._is_training = False
        if state.is_world_process_zero and args.load_best_model_at_end and state.best_model_checkpoint:
            measure = _words(args.metric_for_best_model)
            log.info("best weights: step %d, %s %.4f", state.best_global_step, measure, state.best_metric)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any],
        **_: Any,
    ) -> None:
        """Log a line for a training report or a validation report, in the first process."""
        if not state.is_world_process_zero:
            return
        if "loss" in logs:
            log.info(
                "step %d of %d, %s", state.global_step, state.max_steps, self._training(args, state, logs)
            )
        elif figures := self._validation(logs):
            log.info("step %d, validation %s%s", state.global_step, self._validated(), ", ".join(figures))

    def _training(self, args: TrainingArguments, state: TrainerState, logs: Mapping[str, Any]) -> str:
        parts = [f"loss {logs['loss']:.4f}"]
        parts += [f"{_words(name)} {value:.4f}" for name, value in logs.items() if name.endswith("_loss")]
        parts.append(f"learning rate {logs.get('learning_rate', 0.0):.2e}")
        seconds_per_step = (time.monotonic() - self._started) / max(state.global_step - self._first_step, 1)
        per_step = self._rows_per_step or (
            args.train_batch_size * args.world_size * args.gradient_accumulation_steps
        )
        minutes_left = (state.max_steps - state.global_step) * seconds_per_step / 60
        parts.append(f"{per_step / max(seconds_per_step, 1e-9):.0f} {self._rows}/s")
        parts.append(
            f"{minutes_left:.0f} min left" if minutes_left >= 1 else f"{minutes_left * 60:.0f} s left"
        )
        return ", ".join(parts)

    def _validated(self) -> str:
        if self._sample is None or self._sample[0] >= self._sample[1]:
            return ""
        drawn, whole = self._sample
        return (
            f"on {drawn} of {whole} {self._rows}: " if self._is_training else f"on all {whole} {self._rows}: "
        )

    def _validation(self, logs: Mapping[str, Any]) -> list[str]:
        names = self._measures or [name for name in logs if name.startswith("eval_") and name not in _TIMINGS]
        return [
            f"{_words(name)} {logs[name]:.4f}" for name in names if isinstance(logs.get(name), (int, float))
        ]


class Patience(EarlyStoppingCallback):  # type: ignore[misc]  # transformers has no types
    """Early stopping that says that it was what ended the run."""

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Log the reason, in the first process, where the run ended before its last step."""
        was_early = self.early_stopping_patience_counter >= self.early_stopping_patience
        if was_early and state.global_step < state.max_steps and state.is_world_process_zero:
            log.info(
                "stopped at step %d of %d: no better validation for %d evaluations",
                state.global_step,
                state.max_steps,
                self.early_stopping_patience_counter,
            )


def add_callbacks(trainer: Trainer, progress: ProgressLines, *, patience: int | None = None) -> None:
    """Give a Trainer the lines in place of its own printing, and early stopping where there is patience."""
    trainer.remove_callback(PrinterCallback)
    if patience is not None:
        trainer.add_callback(Patience(patience))
    trainer.add_callback(progress)


def check_finite(loss: torch.Tensor, *, after_step: int, name: str = "loss") -> None:
    """Stop a run whose loss says nothing any more.

    Raises:
        LabelwiseError: the loss is not finite.
    """
    if not bool(torch.isfinite(loss).all()):
        raise LabelwiseError(
            f"the {name} is not finite after step {after_step}: lower learning_rate, or use precision fp32; "
            "--resume goes on from the last checkpoint"
        )


def _words(name: str) -> str:
    return name.removeprefix("eval_").replace("_", " ")

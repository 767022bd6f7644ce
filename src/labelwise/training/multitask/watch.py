"""What is measured while a multi-task model trains: the validation files."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from labelwise.models.multitask import MultitaskModel
from labelwise.text.isolated_labels import IsolatedLabelsLayout
from labelwise.text.tokenizer import TextTokenizer
from labelwise.training.multitask.validation import ValidationSet, validate
from labelwise.training.run_folder import is_first_process

__all__ = ["Watch"]

log = logging.getLogger("labelwise.training")


class Watch(TrainerCallback):  # type: ignore[misc]  # transformers has no types
    """Measures the validation files every so many steps and writes the figures into the Trainer's history."""

    def __init__(
        self,
        sets: Sequence[ValidationSet],
        tokenizer: TextTokenizer,
        layout: IsolatedLabelsLayout,
        *,
        every_steps: int,
    ) -> None:
        self._sets, self._tokenizer, self._layout = sets, tokenizer, layout
        self._every_steps = every_steps

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: MultitaskModel,
        **_: Any,
    ) -> None:
        """Measure when it is time to."""
        if self._sets and state.global_step % self._every_steps == 0 and is_first_process():
            state.log_history.append({"step": state.global_step, **self.figures(model)})

    def figures(self, model: MultitaskModel) -> dict[str, float]:
        """Return ``eval_macro_f1``, the mean over the files, and each file's."""
        found = validate(self._sets, model, self._tokenizer, self._layout)
        log.info("macro-F1 %s", ", ".join(f"{name} {value:.3f}" for name, value in found.items()))
        mean = {"eval_macro_f1": found.pop("mean")} if found else {}
        return {**mean, **{f"eval_{name}_macro_f1": value for name, value in found.items()}}

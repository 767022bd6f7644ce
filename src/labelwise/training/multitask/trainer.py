"""transformers' Trainer on steps that were laid out beforehand, each of one task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset
from transformers import Trainer

from labelwise.models.multitask import MultitaskModel
from labelwise.training.callbacks import check_finite
from labelwise.training.multitask.batches import Batch
from labelwise.training.multitask.losses import task_loss
from labelwise.training.multitask.plan import Step
from labelwise.training.multitask.recipe import MultitaskHyperparameters

__all__ = ["MultitaskTrainer", "PlannedSteps", "Task", "weight_groups"]


class Task(Protocol):
    """What a step of one task is made from."""

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each row."""
        ...

    def batch(self, step: Step) -> Batch:
        """Return a step's rows as tensors."""
        ...


class PlannedSteps(Dataset[Batch]):
    """A run's steps as a dataset: one entry is a whole batch."""

    def __init__(self, steps: Sequence[Step], tasks: Mapping[str, Task]) -> None:
        self._steps = steps
        self._tasks = tasks

    def __len__(self) -> int:
        return len(self._steps)

    def __getitem__(self, place: int) -> Batch:
        step = self._steps[place]
        return {"task": step.task, **self._tasks[step.task].batch(step)}


class MultitaskTrainer(Trainer):  # type: ignore[misc]  # transformers has no types
    """A Trainer whose batches say which head they train, and whose heads learn at their own rate."""

    def __init__(self, *, chosen: MultitaskHyperparameters, **settings: Any) -> None:
        super().__init__(data_collator=lambda entries: entries[0], **settings)
        self._chosen = chosen
        self._losses: dict[str, list[torch.Tensor]] = {}
        # The loss is a mean over its own rows; the Trainer must not divide it by anything.
        self.model_accepts_loss_kwargs = False

    optimizer: torch.optim.Optimizer | None

    def create_optimizer(self, *_: Any) -> torch.optim.Optimizer:
        """Make AdamW over four groups: encoder and heads, with and without weight decay."""
        if self.optimizer is None:  # the Trainer makes it once
            groups = weight_groups(self.model, self._chosen)
            self.optimizer = torch.optim.AdamW(groups, lr=self._chosen.learning_rate, fused=True)
        return self.optimizer

    def compute_loss(
        self, model: MultitaskModel, inputs: Batch, return_outputs: bool = False, **_: Any
    ) -> Any:
        """Return the weighted loss of the step's task.

        Raises:
            LabelwiseError: the loss is not finite.
        """
        task = inputs["task"]
        read = ("input_ids", "token_type_ids", "segment_ids", "position_ids", "label_positions")
        outputs = model(**{name: inputs[name] for name in read if name in inputs}, heads=(task,))
        loss = task_loss(task, outputs, inputs)
        check_finite(loss, after_step=self.state.global_step, name=f"{task} loss")
        self._losses.setdefault(task, []).append(loss.detach())
        weighted = loss * self._chosen.loss_weights.get(task, 1.0)
        return (weighted, outputs) if return_outputs else weighted

    def log(self, logs: dict[str, float], *rest: Any) -> None:
        """Add the mean loss of each task since the last report."""
        if "loss" in logs:
            logs = {**logs, **{f"{task}_loss": _mean(losses) for task, losses in self._losses.items()}}
            self._losses.clear()
        super().log(logs, *rest)


def weight_groups(model: torch.nn.Module, chosen: MultitaskHyperparameters) -> list[dict[str, Any]]:
    """Return the optimizer's groups: the heads' rate differs, biases and norms do not decay."""
    groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            key = (name.startswith("encoder."), weight.ndim > 1)
            groups.setdefault(key, []).append(weight)
    return [
        {
            "params": weights,
            "lr": chosen.learning_rate if is_encoder else chosen.head_learning_rate,
            "weight_decay": chosen.weight_decay if decays else 0.0,
        }
        for (is_encoder, decays), weights in groups.items()
    ]


def _mean(losses: Sequence[torch.Tensor]) -> float:
    return round(float(torch.stack(list(losses)).mean()), 4)

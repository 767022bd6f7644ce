"""How the weights are fitted, whatever the task: what a recipe, a machine and a run say of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from labelwise.errors import InputError

__all__ = ["Precision", "Scheduler", "TrainerSettings", "settings_from"]

Scheduler = Literal["linear", "cosine"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainerSettings:
    """How the weights are fitted, whatever the task.

    Attributes:
        batch_size: rows per process and backward pass.
        accumulation: backward passes per step.
        warmup_ratio: the share of the steps in which the learning rate rises.
        precision: "auto" is bf16 where the GPU has it, else fp32.
        patience: evaluations without a better measure after which the run stops; None never stops.
        is_gradient_checkpointed: activations are computed again in the backward pass: slower, less memory.
    """

    learning_rate: float
    batch_size: int
    warmup_ratio: float
    weight_decay: float
    max_grad_norm: float
    log_every_steps: int
    evaluate_every_steps: int
    save_every_steps: int
    seed: int
    accumulation: int = 1
    scheduler: Scheduler = "linear"
    precision: Precision = "auto"
    patience: int | None = None
    is_gradient_checkpointed: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.learning_rate < 1:
            raise InputError(f"learning_rate is {self.learning_rate}: use a small number such as 2e-5")
        steps = ("log_every_steps", "evaluate_every_steps", "save_every_steps")
        for name in ("batch_size", "accumulation", *steps):
            _at_least(getattr(self, name), 1, name)
        if self.patience is not None:
            _at_least(self.patience, 1, "patience")
        if not 0 <= self.warmup_ratio < 1:
            raise InputError(f"warmup_ratio is {self.warmup_ratio}: use a number from 0 up to 1")
        for name in ("weight_decay", "max_grad_norm"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise InputError(f"{name} is {getattr(self, name)}: use 0 or a positive number")
        for name, allowed in (("scheduler", get_args(Scheduler)), ("precision", get_args(Precision))):
            if getattr(self, name) not in allowed:
                raise InputError(f"{name} is {getattr(self, name)!r}: use one of {', '.join(allowed)}")


def settings_from(
    hyperparameters: Any, *, changes: Mapping[str, Any] | None = None, **given: Any
) -> TrainerSettings:
    """Take over what a recipe's hyper-parameters, a dataclass, say under the names of the settings.

    Args:
        hyperparameters: the recipe's.
        changes: what comes before the recipe, such as flags of the command line; None values are no change.
        given: settings that the recipe has elsewhere or not at all.

    Raises:
        InputError: a value is out of range.
    """
    known = {field.name for field in dataclasses.fields(TrainerSettings)}
    own = {field.name: getattr(hyperparameters, field.name) for field in dataclasses.fields(hyperparameters)}
    wanted = {name: value for name, value in (changes or {}).items() if value is not None}
    unknown = sorted(set(wanted) - known)
    if unknown:
        raise InputError(f"there is no setting {unknown[0]!r}: known are {', '.join(sorted(known))}")
    taken = {name: value for name, value in own.items() if name in known}
    return TrainerSettings(**{**taken, **given, **wanted})


def _at_least(value: int, minimum: int, name: str) -> None:
    if not isinstance(value, int) or value < minimum:
        raise InputError(f"{name} is {value!r}: use a whole number of at least {minimum}")

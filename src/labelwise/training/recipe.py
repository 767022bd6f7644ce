"""The one file that describes a training run: base, data, licences, templates, hyper-parameters, seed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labelwise.errors import InputError
from labelwise.training.recipe_file import build_part, read_recipe_file
from labelwise.training.settings import Precision, Scheduler, settings_from
from labelwise.training.sources import Source, at_least, source_from

__all__ = ["Hyperparameters", "NliRecipe", "Source", "load_recipe"]


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """How the weights are fitted; the defaults are the published ones of the universal classifier.

    Attributes:
        batch_size: pairs per process and backward pass.
        accumulation: backward passes per step.
        max_steps: ends the run, and its learning rate's decay, before all epochs are read.
        precision: "fp32", "bf16", "auto" (bf16 where the GPU has it), or "fp16" where it works.
        attention: transformers' implementation of attention; None takes the model's default.
        patience: validations without a better accuracy after which the run stops, and ends with the best
            weights; None never stops.
        is_gradient_checkpointed: activations are computed again in the backward pass: slower, less memory.
    """

    learning_rate: float = 2e-5
    batch_size: int = 32
    accumulation: int = 1
    epochs: int = 3
    max_steps: int | None = None
    warmup_ratio: float = 0.06
    weight_decay: float = 0.01
    max_grad_norm: float = 1.0
    scheduler: Scheduler = "linear"
    max_tokens: int = 512
    dropout: float = 0.1
    precision: Precision = "auto"
    attention: str | None = None
    freeze_word_embeddings: bool = False
    is_gradient_checkpointed: bool = False
    patience: int | None = None
    log_every_steps: int = 50
    evaluate_every_steps: int = 1000
    save_every_steps: int = 500

    def __post_init__(self) -> None:
        settings_from(self, seed=0)
        at_least(self.epochs, 1, "epochs")
        if self.max_steps is not None:
            at_least(self.max_steps, 1, "max_steps")
        at_least(self.max_tokens, 8, "max_tokens")
        if not 0 <= self.dropout < 1:
            raise InputError(f"dropout is {self.dropout}: use a number from 0 up to 1")


@dataclass(frozen=True, slots=True)
class NliRecipe:
    """A whole run; ``classes`` names the head's two or three outputs in order.

    ``base`` is a folder, a hub id, or ``package:NAME/FOLDER`` for weights that come inside a Python package;
    ``base_revision`` is of a hub id, such as a pull request that adds safetensors, "refs/pr/1".
    ``validation`` is a file of pairs, or ``registry:COLUMN`` for a test column of a registered NLI set.
    """

    name: str
    base: str
    classes: tuple[str, ...]
    sources: tuple[Source, ...]
    validation: str
    validation_rows: int
    seed: int
    hyperparameters: Hyperparameters
    base_revision: str | None = None

    def __post_init__(self) -> None:
        allowed = ({"entailment", "neutral", "contradiction"}, {"entailment", "not_entailment"})
        if set(self.classes) not in allowed or len(set(self.classes)) != len(self.classes):
            choices = " or ".join(", ".join(sorted(names)) for names in allowed)
            raise InputError(f"classes is {list(self.classes)}: use {choices}, in any order")
        if not self.sources:
            raise InputError("sources is empty: name at least one data file")
        at_least(self.validation_rows, 1, "validation_rows")
        for path in [self.validation, *(source.path for source in self.sources)]:
            if path is not None and "_report" in Path(path).name:
                raise InputError(f"{path} is a report set: it must not be trained or tuned on")

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that ``load_recipe`` reads back."""
        return dataclasses.asdict(self)


def load_recipe(path: Path) -> NliRecipe:
    """Read a recipe from JSON or YAML; ``defaults`` in it holds fields that its sources share.

    Sources may lie in description files of their own, named from the recipe's folder.

    Raises:
        DataError: the file, or a description file, cannot be read.
        InputError: a field is unknown, missing or out of range.
    """
    values = read_recipe_file(path)
    defaults = values.pop("defaults", {})
    values["sources"] = tuple(
        source_from(source, defaults=defaults, folder=path.parent) for source in values.get("sources", ())
    )
    values["hyperparameters"] = build_part(Hyperparameters, values.get("hyperparameters", {}))
    return build_part(NliRecipe, values)

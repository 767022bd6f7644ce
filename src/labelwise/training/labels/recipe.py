"""The one file that describes a GliZNet run: base, data, how examples are drawn, hyper-parameters, seed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from labelwise.errors import InputError
from labelwise.training.recipe_file import build_part, build_sources, read_recipe_file
from labelwise.training.settings import Precision, Scheduler, settings_from

__all__ = [
    "ExampleSettings",
    "LabelHyperparameters",
    "LabelRecipe",
    "ModelSettings",
    "TextSource",
    "load_label_recipe",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSource:
    """One file of texts with labels: JSONL, CSV, TSV or Parquet.

    Attributes:
        path: relative to the data folder.
        licence: as stated by the source; it goes into the model card.
        columns: text, label, labels or not_labels to the name of the file's column.
        label_names: label in the file to the one that is meant.
        max_rows: so many are drawn where there are more.
    """

    path: str
    licence: str = "none stated"
    columns: Mapping[str, str] = field(default_factory=dict)
    label_names: Mapping[str, str] = field(default_factory=dict)
    max_rows: int | None = None

    COLUMNS: ClassVar[tuple[str, ...]] = ("text", "label", "labels", "not_labels")

    def __post_init__(self) -> None:
        if "_report" in Path(self.path).name:
            raise InputError(f"{self.path} is a report set: it must not be trained or tuned on")
        for name in ("columns", "label_names"):
            value = getattr(self, name)
            if not isinstance(value, Mapping):
                raise InputError(f"{name} of {self.path} is {value!r}: give a mapping")
            # YAML reads the label 1 as a number.
            object.__setattr__(self, name, {str(key): one for key, one in value.items()})
        for column in self.columns:
            if column not in self.COLUMNS:
                raise InputError(
                    f"columns of {self.path} names {column!r}: texts have {', '.join(self.COLUMNS)}"
                )
        if self.max_rows is not None:
            _at_least(self.max_rows, 1, f"max_rows of {self.path}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleSettings:
    """How a row becomes an example; the limits are those of the published training script.

    Attributes:
        max_labels: the most labels of an example.
        sampled_negatives: labels of other texts that are added as false, in training only.
        space_for_underscore: how often an example's underscores become spaces, in training only.
        min_label_characters: shorter labels are dropped.
        max_tokens: the row's limit.
        max_tokens_per_span: the most tokens of a label.
        min_text_tokens: tokens that the text keeps when labels crowd it out.
        min_label_tokens: tokens that every label keeps.
    """

    max_labels: int = 20
    sampled_negatives: int = 2
    space_for_underscore: float = 0.9
    min_label_characters: int = 4
    max_tokens: int = 512
    max_tokens_per_span: int = 16
    min_text_tokens: int = 5
    min_label_tokens: int = 1

    def __post_init__(self) -> None:
        _at_least(self.sampled_negatives, 0, "sampled_negatives")
        names = ("max_labels", "min_label_characters", "max_tokens_per_span", "min_text_tokens")
        for name in (*names, "min_label_tokens"):
            _at_least(getattr(self, name), 1, name)
        _at_least(self.max_tokens, 2 + self.min_text_tokens + 1 + self.min_label_tokens, "max_tokens")
        _share(self.space_for_underscore, "space_for_underscore")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """The head and its losses; the defaults are those of the published GliZNet checkpoint."""

    scoring_method: str = "bilinear"
    dropout_rate: float = 0.1
    losses: tuple[str, ...] = ("softmax", "repulsion", "bce")
    supcon_loss_weight: float = 0.5
    supcon_margin: float = 0.5
    bce_loss_weight: float = 0.5
    label_repulsion_weight: float = 0.05
    focal_gamma: float = 1.85

    def __post_init__(self) -> None:
        _share(self.dropout_rate, "dropout_rate")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelHyperparameters:
    """How the weights are fitted; the defaults are those of the published training script.

    Attributes:
        batch_size: texts per process and backward pass.
        accumulation: backward passes per step.
        max_steps: ends the run, and the learning rate's decay, before all epochs are read.
        patience: evaluations without a lower validation loss after which the run stops; None never stops.
        precision: "auto" (bf16 on a GPU that has it, else fp32), "bf16", "fp32", or "fp16" where it works.
        is_gradient_checkpointed: activations are computed again in the backward pass: slower, less memory.
        evaluate_every_steps: evaluation and checkpoint after so many steps; None means once an epoch.
    """

    learning_rate: float = 4e-5
    batch_size: int = 32
    accumulation: int = 2
    epochs: int = 10
    max_steps: int | None = None
    warmup_ratio: float = 0.05
    weight_decay: float = 1e-3
    max_grad_norm: float = 2.0
    patience: int | None = 3
    scheduler: Scheduler = "cosine"
    precision: Precision = "auto"
    is_gradient_checkpointed: bool = False
    log_every_steps: int = 10
    evaluate_every_steps: int | None = None

    def __post_init__(self) -> None:
        _at_least(self.epochs, 1, "epochs")
        for name in ("max_steps", "evaluate_every_steps"):
            if getattr(self, name) is not None:
                _at_least(getattr(self, name), 1, name)
        every = self.evaluate_every_steps or 1
        settings_from(self, seed=0, evaluate_every_steps=every, save_every_steps=every)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRecipe:
    """A whole run.

    Attributes:
        name: of the run.
        base: "bundled", an encoder's folder, a hub id, or ``package:NAME/FOLDER``; it must have a
            tokenizer.json.
        sources: files of texts with labels.
        validation: such files for validation; none means that labels are held out of ``sources``.
        held_out_share: of the distinct true labels, where ``validation`` is empty.
        seed: of all draws.
        examples: how a row becomes an example.
        model: the head and its losses.
        hyperparameters: how the weights are fitted.
    """

    name: str
    base: str
    sources: tuple[TextSource, ...]
    validation: tuple[TextSource, ...] = ()
    held_out_share: float = 0.02 / 3
    seed: int = 42
    examples: ExampleSettings = field(default_factory=ExampleSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    hyperparameters: LabelHyperparameters = field(default_factory=LabelHyperparameters)

    def __post_init__(self) -> None:
        if not self.sources:
            raise InputError("sources is empty: name at least one data file")

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that ``load_label_recipe`` reads back."""
        return dataclasses.asdict(self)


_PARTS = {"examples": ExampleSettings, "model": ModelSettings, "hyperparameters": LabelHyperparameters}


def load_label_recipe(path: Path) -> LabelRecipe:
    """Read a recipe; a source is a file's path alone, or its fields.

    ``defaults`` in the recipe holds fields that its sources share.

    Raises:
        DataError: the file cannot be read.
        InputError: a field is unknown, missing or out of range.
    """
    values = read_recipe_file(path)
    defaults = values.pop("defaults", {})
    parts: dict[str, Any] = {
        name: build_part(kind, values.get(name, {}), where=name) for name, kind in _PARTS.items()
    }
    for name in ("sources", "validation"):
        parts[name] = build_sources(TextSource, values.get(name, []), defaults, where=name)
    return build_part(LabelRecipe, {**values, **parts})


def _at_least(value: int, minimum: int, name: str) -> None:
    if not isinstance(value, int) or value < minimum:
        raise InputError(f"{name} is {value!r}: use a whole number of at least {minimum}")


def _share(value: float, name: str) -> None:
    if not 0 <= value <= 1:
        raise InputError(f"{name} is {value!r}: use a number from 0 to 1")

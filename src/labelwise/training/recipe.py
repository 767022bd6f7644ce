"""The one file that describes a training run: base, data, licences, templates, hyper-parameters, seed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from labelwise.errors import InputError
from labelwise.training.recipe_file import build_part, read_recipe_file

__all__ = ["Hyperparameters", "NliRecipe", "Source", "load_recipe"]


@dataclass(frozen=True, slots=True)
class Source:
    """One data file and how it becomes premise / hypothesis pairs.

    ``kind`` is ``pairs`` (rows are pairs already), ``texts`` (classification rows) or ``passages`` (texts
    with statements). ``max_texts_per_class`` and ``max_rows`` cap what is read, ``repeats`` says how often it
    is passed, each time with freshly drawn negatives and templates. ``negatives`` is ``labels`` (labels of
    the same set that the text does not have: hard) or ``texts`` (as many texts of other classes as a label
    has texts: the published universal-classifier recipe).
    """

    path: str
    kind: str
    licence: str
    max_rows: int | None = None
    max_texts_per_class: int | None = None
    repeats: int = 1
    templates: tuple[str, ...] = ("{}",)
    negatives: str = "labels"
    positives_per_text: int = 1
    negatives_per_text: int = 2
    wording: Mapping[str, str] = field(default_factory=dict)
    excluded_labels: tuple[str, ...] = ()

    KINDS: ClassVar[tuple[str, ...]] = ("pairs", "texts", "passages")
    NEGATIVES: ClassVar[tuple[str, ...]] = ("labels", "texts")

    def __post_init__(self) -> None:
        if self.kind not in self.KINDS:
            raise InputError(f"kind of {self.path} is {self.kind!r}: use one of {', '.join(self.KINDS)}")
        if self.negatives not in self.NEGATIVES:
            raise InputError(f"negatives of {self.path} is {self.negatives!r}: use labels or texts")
        for name in ("max_rows", "max_texts_per_class"):
            if getattr(self, name) is not None:
                _at_least(getattr(self, name), 1, f"{name} of {self.path}")
        _at_least(self.repeats, 1, f"repeats of {self.path}")
        _at_least(self.positives_per_text, 1, f"positives_per_text of {self.path}")
        _at_least(self.negatives_per_text, 0, f"negatives_per_text of {self.path}")
        for template in self.templates:
            if template.count("{}") != 1:
                raise InputError(f"template {template!r} of {self.path} must hold exactly one {{}}")
        if not self.templates:
            raise InputError(f"templates of {self.path} is empty: give at least '{{}}'")


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """How the weights are fitted; the defaults are the published ones of the universal classifier.

    ``max_steps`` ends the run, and its learning rate's decay, before all epochs are read.
    """

    learning_rate: float = 2e-5
    batch_size: int = 32
    epochs: int = 3
    max_steps: int | None = None
    warmup_ratio: float = 0.06
    weight_decay: float = 0.01
    max_grad_norm: float = 1.0
    max_tokens: int = 512
    dropout: float = 0.1
    precision: str = "fp32"
    attention: str = "sdpa"
    freeze_word_embeddings: bool = False
    log_every_steps: int = 50
    evaluate_every_steps: int = 1000
    save_every_steps: int = 500

    def __post_init__(self) -> None:
        if not 0 < self.learning_rate < 1:
            raise InputError(f"learning_rate is {self.learning_rate}: use a small number such as 2e-5")
        for name in ("batch_size", "epochs", "log_every_steps", "evaluate_every_steps", "save_every_steps"):
            _at_least(getattr(self, name), 1, name)
        if self.max_steps is not None:
            _at_least(self.max_steps, 1, "max_steps")
        _at_least(self.max_tokens, 8, "max_tokens")
        for name in ("warmup_ratio", "dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}: use a number from 0 up to 1")
        if self.precision not in ("fp32", "bf16"):
            raise InputError(f"precision is {self.precision!r}: use fp32 or bf16 (fp16 overflows)")


@dataclass(frozen=True, slots=True)
class NliRecipe:
    """A whole run; ``classes`` names the head's two or three outputs in order.

    ``base`` is a folder, a hub id, or ``package:NAME/FOLDER`` for weights that come inside a Python package.
    """

    name: str
    base: str
    classes: tuple[str, ...]
    sources: tuple[Source, ...]
    validation: str
    validation_rows: int
    seed: int
    hyperparameters: Hyperparameters

    def __post_init__(self) -> None:
        allowed = ({"entailment", "neutral", "contradiction"}, {"entailment", "not_entailment"})
        if set(self.classes) not in allowed or len(set(self.classes)) != len(self.classes):
            choices = " or ".join(", ".join(sorted(names)) for names in allowed)
            raise InputError(f"classes is {list(self.classes)}: use {choices}, in any order")
        if not self.sources:
            raise InputError("sources is empty: name at least one data file")
        _at_least(self.validation_rows, 1, "validation_rows")
        for path in [self.validation, *(source.path for source in self.sources)]:
            if "_report" in Path(path).name:
                raise InputError(f"{path} is a report set: it must not be trained or tuned on")

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that ``load_recipe`` reads back."""
        return dataclasses.asdict(self)


def load_recipe(path: Path) -> NliRecipe:
    """Read a recipe; ``defaults`` in the file holds fields that its sources share.

    Raises:
        DataError: the file is not JSON.
        InputError: a field is unknown, missing or out of range.
    """
    values = read_recipe_file(path)
    defaults = values.pop("defaults", {})
    values["sources"] = tuple(
        build_part(Source, {**defaults, **source}) for source in values.get("sources", ())
    )
    values["hyperparameters"] = build_part(Hyperparameters, values.get("hyperparameters", {}))
    return build_part(NliRecipe, values)


def _at_least(value: int, minimum: int, name: str) -> None:
    if not isinstance(value, int) or value < minimum:
        raise InputError(f"{name} is {value!r}: use a whole number of at least {minimum}")

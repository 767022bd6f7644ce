"""The one file that describes a reader's run: base, questions, hyper-parameters, seed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labelwise.errors import InputError
from labelwise.training.recipe_file import build_part, build_sources, read_recipe_file
from labelwise.training.settings import Precision, Scheduler, settings_from

__all__ = ["QaHyperparameters", "QaRecipe", "QaSource", "load_qa_recipe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class QaSource:
    """One set of questions: a file or a hub data set in SQuAD's columns.

    Attributes:
        path: a SQuAD file or passages with questions, relative to the data folder; or
        hub: a hub id, or a folder that ``datasets`` reads.
        split: of the hub data set.
        revision: of the hub data set: a commit makes the run repeatable.
        subset: of the hub data set, where it has several.
        licence: as stated by the source.
        max_questions: so many are drawn where there are more.
        negatives_share: of the answered questions that are asked of another paragraph of the article as well.
        edited_share: of the answered questions that are also asked with a name, a number or a word exchanged.
        repeats: how often an epoch reads it.
    """

    path: str | None = None
    hub: str | None = None
    split: str = "train"
    revision: str | None = None
    subset: str | None = None
    licence: str = "none stated"
    max_questions: int | None = None
    negatives_share: float = 0.0
    edited_share: float = 0.0
    repeats: int = 1

    def __post_init__(self) -> None:
        if (self.path is None) == (self.hub is None):
            raise InputError(f"a source has path {self.path!r} and hub {self.hub!r}: give one of them")
        if "_report" in Path(self.name).name:
            raise InputError(f"{self.name} is a report set: it must not be trained or tuned on")
        _share(self.negatives_share, f"negatives_share of {self.name}")
        _share(self.edited_share, f"edited_share of {self.name}")
        _at_least(self.repeats, 1, f"repeats of {self.name}")
        if self.max_questions is not None:
            _at_least(self.max_questions, 1, f"max_questions of {self.name}")

    @property
    def name(self) -> str:
        """What logs and reports call it."""
        return str(self.path if self.hub is None else self.hub)


@dataclass(frozen=True, slots=True, kw_only=True)
class QaHyperparameters:
    """How the weights are fitted; the defaults suit DeBERTa-v3 on SQuAD 2.0.

    Batch, epochs, warm-up and windows lie in the search space that the DeBERTa papers publish, and the
    learning rate is that of the published script for DeBERTa-v3-small.

    Attributes:
        batch_size: windows per process and backward pass.
        accumulation: backward passes per step.
        max_steps: ends the run, and the learning rate's decay, before all epochs are read.
        max_tokens: of a window: question, context and control tokens.
        stride: context tokens that neighbouring windows share.
        max_question_tokens: longer questions are cut in training and left out of validation.
        max_empty_windows: of each question keep at most so many windows without an answer; None keeps all.
        precision: "auto" (bf16 where the GPU has it, else fp32), "bf16", "fp32", or "fp16" where it works.
        attention: "eager" or "sdpa"; None leaves the choice to transformers.
        freezes_word_embeddings: True leaves the word embeddings as they are.
        is_gradient_checkpointed: activations are computed again in the backward pass: slower, less memory.
        evaluate_every_steps: validation and checkpoint after so many steps; None means once an epoch.
        patience: validations without a better F1 after which the run stops; None never stops.
    """

    learning_rate: float = 4.5e-5
    batch_size: int = 32
    accumulation: int = 1
    epochs: int = 3
    max_steps: int | None = None
    warmup_ratio: float = 0.1
    weight_decay: float = 0.01
    max_grad_norm: float = 1.0
    max_tokens: int = 384
    stride: int = 128
    max_question_tokens: int = 64
    max_empty_windows: int | None = None
    scheduler: Scheduler = "linear"
    precision: Precision = "auto"
    attention: str | None = None
    freezes_word_embeddings: bool = False
    is_gradient_checkpointed: bool = False
    log_every_steps: int = 50
    evaluate_every_steps: int | None = None
    patience: int | None = None

    def __post_init__(self) -> None:
        for name in ("epochs", "max_question_tokens"):
            _at_least(getattr(self, name), 1, name)
        for name in ("max_steps", "evaluate_every_steps"):
            if getattr(self, name) is not None:
                _at_least(getattr(self, name), 1, name)
        _at_least(self.max_tokens, 16, "max_tokens")
        _at_least(self.stride, 0, "stride")
        if self.max_empty_windows is not None:
            _at_least(self.max_empty_windows, 0, "max_empty_windows")
        if self.attention not in (None, "eager", "sdpa"):
            raise InputError(f"attention is {self.attention!r}: use eager or sdpa, or leave it out")
        every = self.evaluate_every_steps or 1
        settings_from(self, seed=0, evaluate_every_steps=every, save_every_steps=every)


@dataclass(frozen=True, slots=True, kw_only=True)
class QaRecipe:
    """A whole run.

    Attributes:
        name: of the run.
        base: an encoder's folder, a hub id, or ``package:NAME/FOLDER``.
        base_revision: of a hub id.
        sources: what is trained on.
        validation: sets to validate on; none means that contexts are held out of ``sources``.
        held_out_share: of the distinct contexts, where ``validation`` is empty.
        validation_questions: so many are drawn to validate on.
        seed: of all draws.
        hyperparameters: how the weights are fitted.
    """

    name: str
    base: str
    sources: tuple[QaSource, ...]
    base_revision: str | None = None
    validation: tuple[QaSource, ...] = ()
    held_out_share: float = 0.02
    validation_questions: int = 1000
    seed: int = 42
    hyperparameters: QaHyperparameters = field(default_factory=QaHyperparameters)

    def __post_init__(self) -> None:
        if not self.sources:
            raise InputError("sources is empty: name at least one file or hub data set")
        _share(self.held_out_share, "held_out_share")
        if not self.validation and self.held_out_share == 0:
            raise InputError("held_out_share is 0 and validation is empty: give one, or nothing is measured")
        _at_least(self.validation_questions, 1, "validation_questions")

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that ``load_qa_recipe`` reads back."""
        return dataclasses.asdict(self)


def load_qa_recipe(path: Path) -> QaRecipe:
    """Read a recipe; ``defaults`` in the file holds fields that its sources share.

    Raises:
        DataError: the file cannot be read.
        InputError: a field is unknown, missing or out of range.
    """
    values = read_recipe_file(path)
    defaults = values.pop("defaults", {})
    for part in ("sources", "validation"):
        values[part] = build_sources(QaSource, values.get(part, ()), defaults, where=part)
    values["hyperparameters"] = build_part(
        QaHyperparameters, values.get("hyperparameters", {}), where="hyperparameters"
    )
    return build_part(QaRecipe, values)


def _at_least(value: int, minimum: int, name: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
        raise InputError(f"{name} is {value!r}: use a whole number of at least {minimum}")


def _share(value: float, name: str) -> None:
    if not 0 <= value <= 1:
        raise InputError(f"{name} is {value!r}: use a number from 0 to 1")

"""The one file that describes a multi-task run: bases, data, licences, wordings, shares, hyper-parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from labelwise.errors import InputError
from labelwise.training.recipe_file import build_part, read_recipe_file

__all__ = [
    "TASKS",
    "AnswerSource",
    "LabelSource",
    "MultitaskHyperparameters",
    "MultitaskRecipe",
    "load_multitask_recipe",
]

TASKS = ("classify", "entail", "answer")


@dataclass(frozen=True, slots=True)
class LabelSource:
    """One data file, and how its rows become texts with true and false labels.

    ``kind`` is ``texts`` (rows with ``label`` or ``labels`` out of a closed set), ``judged`` (rows with
    ``labels`` and ``not_labels``), ``pairs`` (hypotheses as labels of their premise) or ``passages``
    (statements as labels of their text).

    Attributes:
        path: below the data folder.
        kind: what its rows are.
        licence: as stated; it goes into the model card.
        max_rows: rows read, drawn evenly over the classes of ``texts``.
        repeats: how often each row comes up in one round, each time with freshly drawn labels.
        templates: sentences with one ``{}``; one of them is used on ``template_share`` of the draws.
        template_share: from 0 to 1.
        wordings: label to other ways to say it; the n-th ways of all labels belong together.
        max_labels: the most labels beside a text; more are drawn only where a source says so.
        foreign_share: share of draws to which labels of other sources are added, as false ones.
        kept_labels: only rows with one of these are read, and only these are shown; empty keeps all.
        snippet_share: share of draws that read a sentence or two from within the text.
        cut_labels_at: labels are read up to this: "positive about food" cut at " about " is "positive".
        renames: label to the name it is read under, so that many may become one.
    """

    path: str
    kind: str
    licence: str
    max_rows: int | None = None
    repeats: int = 1
    templates: tuple[str, ...] = ()
    template_share: float = 0.3
    wordings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    max_labels: int = 16
    foreign_share: float = 0.15
    kept_labels: tuple[str, ...] = ()
    snippet_share: float = 0.0
    cut_labels_at: str | None = None
    renames: Mapping[str, str] = field(default_factory=dict)

    KINDS: ClassVar[tuple[str, ...]] = ("texts", "judged", "pairs", "passages")

    def __post_init__(self) -> None:
        if self.kind not in self.KINDS:
            raise InputError(f"kind of {self.path} is {self.kind!r}: use one of {', '.join(self.KINDS)}")
        for name, minimum in (("max_rows", 1), ("repeats", 1), ("max_labels", 2)):
            value = getattr(self, name)
            if value is not None and value < minimum:
                raise InputError(f"{name} of {self.path} is {value}: use at least {minimum}")
        for name in ("template_share", "foreign_share", "snippet_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} of {self.path} is {getattr(self, name)}: use a number from 0 to 1")
        for template in self.templates:
            if template.count("{}") != 1:
                raise InputError(f"template {template!r} of {self.path} must hold exactly one {{}}")


@dataclass(frozen=True, slots=True)
class AnswerSource:
    """A file of questions in the SQuAD layout, or of passages with ``qa`` and ``unanswerable``.

    Attributes:
        path: below the data folder.
        licence: as stated; it goes into the model card.
        repeats: how often each question comes up in one round.
        edited_share: unanswerable questions made by editing answered ones, as a share of these.
    """

    path: str
    licence: str
    repeats: int = 1
    edited_share: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.edited_share <= 1:
            raise InputError(f"edited_share of {self.path} is {self.edited_share}: use a number from 0 to 1")


@dataclass(frozen=True, slots=True)
class MultitaskHyperparameters:
    """How the weights are fitted.

    Attributes:
        steps: of the whole run; each step is of one task.
        shares: task to its share of the steps.
        batch_sizes: task to the rows of one step.
        loss_weights: task to the weight of its loss.
        learning_rate: of the encoder.
        head_learning_rate: of the three heads.
        warmup_ratio: share of the steps.
        weight_decay: of all weights but biases and norms.
        max_grad_norm: gradients are scaled down to it.
        max_text_tokens: longest text beside labels.
        long_text_share: share of label steps that read twice as many.
        max_pair_tokens: longest premise with its hypothesis.
        max_window_tokens: longest question with its window.
        window_stride: context tokens that neighbouring windows share.
        max_question_tokens: longer questions are cut in training.
        max_label_tokens: longer labels are cut in training.
        max_row_label_tokens: labels beyond that are left out of a row.
        negatives_share: unanswerable questions made from answerable ones, as a share of these.
        precision: "auto", "bf16" or "fp32".
        attention: "eager" or "sdpa".
        freezes_word_embeddings: keeps the base's word vectors.
        is_compiled: the encoder's layers run through torch.compile, a fifth faster where a C++ compiler is.
        log_every_steps: one line each.
        evaluate_every_steps: on the validation files.
        save_every_steps: a checkpoint each.
    """

    steps: int = 8000
    shares: Mapping[str, float] = field(
        default_factory=lambda: {"classify": 0.55, "entail": 0.2, "answer": 0.25}
    )
    batch_sizes: Mapping[str, int] = field(
        default_factory=lambda: {"classify": 16, "entail": 32, "answer": 12}
    )
    loss_weights: Mapping[str, float] = field(default_factory=dict)
    learning_rate: float = 8e-5
    head_learning_rate: float = 5e-4
    warmup_ratio: float = 0.03
    weight_decay: float = 0.01
    max_grad_norm: float = 1.0
    max_text_tokens: int = 128
    long_text_share: float = 0.1
    max_pair_tokens: int = 128
    max_window_tokens: int = 256
    window_stride: int = 96
    max_question_tokens: int = 64
    max_label_tokens: int = 32
    max_row_label_tokens: int = 200
    negatives_share: float = 0.5
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    attention: str = "eager"
    freezes_word_embeddings: bool = True
    is_compiled: bool = False
    log_every_steps: int = 50
    evaluate_every_steps: int = 1000
    save_every_steps: int = 500

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise InputError(f"steps is {self.steps}: use at least 1")
        for name in ("shares", "batch_sizes"):
            given = getattr(self, name)
            if set(given) - set(TASKS) or not given:
                raise InputError(f"{name} names {sorted(given)}: use {', '.join(TASKS)}")
        if min(self.shares.values()) < 0 or sum(self.shares.values()) <= 0:
            raise InputError(f"shares are {dict(self.shares)}: use numbers from 0 on, not all 0")
        if min(self.batch_sizes.values()) < 1:
            raise InputError(f"batch_sizes are {dict(self.batch_sizes)}: use at least 1")
        for name in ("learning_rate", "head_learning_rate"):
            if not 0 < getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}: use a small number such as 8e-5")


@dataclass(frozen=True, slots=True)
class MultitaskRecipe:
    """A whole run.

    Attributes:
        name: of the run.
        base: a folder, a hub id, or ``package:NAME/FOLDER``.
        entail_recipe: the recipe of the entailment data, beside this file. Where ``starts_from_entail`` is
            True that recipe is run first, and the encoder goes on from there.
        starts_from_entail: see above.
        earlier_recipe: another multi-task recipe beside this file, which is run first; this run goes on from
            its model.
        earlier_share: share of the earlier run's weights in the finished ones, chosen on validation files.
        classify: the label sources.
        answer: the question sources.
        validation: classification files that are measured while training; never trained on.
        validation_rows: of each of these.
        similarity_scale: weight of the lexical similarity, which is added to the trained model; chosen on the
            validation files.
        window_tokens: how many tokens the finished checkpoint reads at once.
        seed: of all draws.
        hyperparameters: how the weights are fitted.
    """

    name: str
    base: str
    entail_recipe: str
    classify: tuple[LabelSource, ...]
    answer: tuple[AnswerSource, ...]
    validation: tuple[str, ...] = ()
    validation_rows: int = 150
    starts_from_entail: bool = True
    earlier_recipe: str | None = None
    earlier_share: float = 0.0
    similarity_scale: float = 4.0
    window_tokens: int = 256
    seed: int = 42
    hyperparameters: MultitaskHyperparameters = field(default_factory=MultitaskHyperparameters)

    def __post_init__(self) -> None:
        if not self.classify or not self.answer:
            raise InputError("classify or answer is empty: name at least one data file of each")
        if not 0 <= self.earlier_share < 1:
            raise InputError(f"earlier_share is {self.earlier_share}: use a number from 0 up to 1")
        paths = [source.path for source in self.classify] + [source.path for source in self.answer]
        for path in [*paths, *self.validation]:
            if "_report" in Path(path).name:
                raise InputError(f"{path} is a report set: it must not be trained or tuned on")

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that ``load_multitask_recipe`` reads back."""
        return dataclasses.asdict(self)


def load_multitask_recipe(path: Path) -> MultitaskRecipe:
    """Read a recipe; ``classify_defaults`` holds fields that its label sources share.

    ``wordings`` on top maps a name to label wordings that sources refer to by that name.

    Raises:
        DataError: the file cannot be read.
        InputError: a field is unknown, missing or out of range.
    """
    values = read_recipe_file(path)
    defaults = values.pop("classify_defaults", {})
    named = values.pop("wordings", {})
    values["classify"] = tuple(
        build_part(LabelSource, _with_wordings({**defaults, **source}, named), where=str(source.get("path")))
        for source in values.get("classify", ())
    )
    values["answer"] = tuple(build_part(AnswerSource, source) for source in values.get("answer", ()))
    values["hyperparameters"] = build_part(MultitaskHyperparameters, values.get("hyperparameters", {}))
    return build_part(MultitaskRecipe, values)


def _with_wordings(source: dict[str, Any], named: Mapping[str, Any]) -> dict[str, Any]:
    given = source.get("wordings", {})
    if isinstance(given, str):
        if given not in named:
            raise InputError(f"wordings {given!r} of {source.get('path')} is not among {', '.join(named)}")
        given = named[given]
    return {**source, "wordings": {label: tuple(ways) for label, ways in given.items()}}

"""Where training rows come from and how they become premise / hypothesis pairs: one value per source.

A source is a local file, a dataset of the hub, or a registered dataset (``evaluation.registry``), written
inline in the recipe or in a small JSON or YAML file of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from labelwise.errors import InputError
from labelwise.evaluation.registry import find_dataset
from labelwise.training.described import read_description
from labelwise.training.recipe_file import build_part

__all__ = ["Source", "at_least", "source_from"]


@dataclass(frozen=True, slots=True)
class Source:
    """One set of rows and how it becomes premise / hypothesis pairs.

    Where it lies: ``path`` (JSONL, CSV, TSV or Parquet, in the data folder), or ``hub`` (with ``config``,
    ``data_dir``, ``split``, ``revision``), or ``registry``, a registered name, whose rows come from the hub
    unless ``path`` names a file with the same columns. An ``is_optional`` source that cannot be read is named
    and left out.

    What it holds: ``kind`` is ``pairs`` (rows are pairs already), ``texts`` (classification rows) or
    ``passages`` (texts with statements). ``columns`` maps premise, hypothesis, label, text, labels to names
    of columns, and ``label_names`` maps the labels in the rows to those that are meant.

    How much: ``max_texts_per_class`` and, after it, ``max_rows`` cap what is read; ``repeats`` says how often
    it is passed, each time with freshly drawn negatives and templates.

    How texts become pairs: each label is worded by ``wording`` (label -> hypothesis) and put into a template.
    ``negatives`` is ``labels`` (labels of the same set that the text does not have) or ``texts`` (as many
    texts of other classes as a label has texts: the published universal-classifier recipe). On top come
    ``hard_negatives_per_text``: the labels most like a true one, as ``similar_labels`` lists them or else by
    the words that they share.
    """

    path: str | None = None
    kind: str = ""
    licence: str = ""
    max_rows: int | None = None
    max_texts_per_class: int | None = None
    repeats: int = 1
    templates: tuple[str, ...] = ("{}",)
    negatives: str = "labels"
    positives_per_text: int = 1
    negatives_per_text: int = 2
    wording: Mapping[str, str] = field(default_factory=dict)
    excluded_labels: tuple[str, ...] = ()
    hub: str | None = None
    config: str | None = None
    data_dir: str | None = None
    split: str = "train"
    revision: str | None = None
    registry: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    label_names: Mapping[str, str] = field(default_factory=dict)
    hard_negatives_per_text: int = 0
    similar_labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_optional: bool = False

    KINDS: ClassVar[tuple[str, ...]] = ("pairs", "texts", "passages")
    NEGATIVES: ClassVar[tuple[str, ...]] = ("labels", "texts")
    COLUMNS: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "pairs": ("premise", "hypothesis", "label"),
        "texts": ("text", "label", "labels", "not_labels"),
        "passages": ("text", "entailed", "neutral", "contradicted"),
    }

    def __post_init__(self) -> None:
        self._check_place()
        if self.kind not in self.KINDS:
            raise InputError(f"kind of {self.name} is {self.kind!r}: use one of {', '.join(self.KINDS)}")
        if self.negatives not in self.NEGATIVES:
            raise InputError(f"negatives of {self.name} is {self.negatives!r}: use labels or texts")
        self._check_numbers()
        self._check_mappings()
        for template in self.templates:
            if template.count("{}") != 1:
                raise InputError(f"template {template!r} of {self.name} must hold exactly one {{}}")
        if not self.templates:
            raise InputError(f"templates of {self.name} is empty: give at least '{{}}'")

    @property
    def name(self) -> str:
        """What messages and counts call it."""
        if self.registry is not None:
            return self.registry
        if self.hub is None:
            return str(self.path)
        place = "/".join(part for part in (self.hub, self.config, self.data_dir) if part)
        return f"{place}:{self.split}"

    def _check_place(self) -> None:
        places = [name for name in ("path", "hub", "registry") if getattr(self, name)]
        if not places:
            raise InputError("a source names no path, hub or registry: give one of them")
        if "hub" in places and len(places) > 1:
            raise InputError(
                f"source {self.name} has hub and {(set(places) - {'hub'}).pop()}: give one of them"
            )
        if not self.licence:
            raise InputError(f"licence of {self.name} is missing: say under what terms its rows are used")

    def _check_numbers(self) -> None:
        for name in ("max_rows", "max_texts_per_class"):
            if getattr(self, name) is not None:
                at_least(getattr(self, name), 1, f"{name} of {self.name}")
        for name in ("repeats", "positives_per_text"):
            at_least(getattr(self, name), 1, f"{name} of {self.name}")
        for name in ("negatives_per_text", "hard_negatives_per_text"):
            at_least(getattr(self, name), 0, f"{name} of {self.name}")

    def _check_mappings(self) -> None:
        for name in ("wording", "columns", "label_names", "similar_labels"):
            value = getattr(self, name)
            if not isinstance(value, Mapping):
                raise InputError(f"{name} of {self.name} is {value!r}: give a mapping")
            fixed = {str(key): tuple(one) if isinstance(one, list) else one for key, one in value.items()}
            object.__setattr__(self, name, fixed)
        known = self.COLUMNS[self.kind]
        for column in self.columns:
            if column not in known:
                raise InputError(
                    f"columns of {self.name} names {column!r}: {self.kind} have {', '.join(known)}"
                )


def source_from(written: Any, *, defaults: Mapping[str, Any], folder: Path) -> Source:
    """Build a source from what a recipe says: its fields, or the name of a JSON or YAML file that holds them.

    A field ``description`` names such a file too; fields beside it win. A registered dataset brings its kind,
    licence, hypotheses, caps and balanced negatives; fields beside ``registry`` win.

    Args:
        written: an entry of ``sources``.
        defaults: fields that all sources of the recipe share.
        folder: what relative names of description files start from.

    Raises:
        InputError: a field is unknown, missing or out of range.
        DataError: the description file cannot be read.
    """
    own = {"description": written} if isinstance(written, str) else written
    if not isinstance(own, Mapping):
        raise InputError(f"a source is {own!r}: give its fields or the name of a description file")
    own = dict(own)
    description = own.pop("description", None)
    if description is not None:
        own = {**read_description(folder / str(description)), **own}
    registered = _registered_fields(own["registry"]) if own.get("registry") else {}
    if registered:
        own["registry"] = registered["registry"]
    return build_part(Source, {**defaults, **registered, **own}, where=f"source {_shown(own)}")


def at_least(value: int, minimum: int, name: str) -> None:
    """Check a whole number.

    Raises:
        InputError: it is none, or less than `minimum`.
    """
    if not isinstance(value, int) or value < minimum:
        raise InputError(f"{name} is {value!r}: use a whole number of at least {minimum}")


def _registered_fields(name: str) -> dict[str, Any]:
    dataset = find_dataset(name)
    return {
        "kind": "pairs" if dataset.is_nli else "texts",
        "licence": dataset.licence,
        "registry": dataset.name,
        "config": dataset.config,
        "data_dir": dataset.data_dir,
        "revision": dataset.revision,
        "split": dataset.train_split,
        "templates": ["{}"],
        "wording": dataset.hypotheses,
        "negatives": "texts",
        "max_texts_per_class": dataset.max_train_per_class,
        "max_rows": dataset.max_train_texts,
    }


def _shown(own: Mapping[str, Any]) -> str:
    return str(own.get("path") or own.get("hub") or own.get("registry") or "without a place")

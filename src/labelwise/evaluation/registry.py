"""The 33 datasets of the universal classifier, as data: where they lie, what labels mean, how they are cut.

The choice of datasets, splits and caps is that of the published all-33 models
(MoritzLaurer/zeroshot-classifier); the wording of the hypotheses is our own. Nothing is fetched here.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, ClassVar

from labelwise.errors import DataError, InputError

__all__ = ["RegisteredClass", "RegisteredDataset", "find_dataset", "read_registry"]

_FILE = "registry_datasets.json"


@dataclass(frozen=True, slots=True)
class RegisteredClass:
    """What a label of a dataset means: a name for people, and the sentence that is true of its texts.

    ``hypothesis`` is None in NLI sets, where ``name`` is the relation and each row brings its hypothesis.
    """

    name: str
    hypothesis: str | None = None

    def __post_init__(self) -> None:
        if not self.name.strip() or (self.hypothesis is not None and not self.hypothesis.strip()):
            raise DataError(f"class {self.name!r} has an empty name or hypothesis: fill it")


@dataclass(frozen=True, slots=True)
class RegisteredDataset:
    """One dataset of the universal classifier.

    Attributes:
        name: its name in the published table, such as ``amazonpolarity``.
        task: ``classification``, or ``nli3`` / ``nli2`` by the relations that its rows tell apart (the
            published table counts neutral and contradiction as one).
        hub: the id on the hub; None where the source must be fetched by hand, as ``note`` says.
        config: the configuration on the hub.
        data_dir: the folder within the hub repository, where configurations are folders.
        revision: the branch or commit on the hub.
        train_split: the split or splits (joined by ``+``) to train on.
        test_splits: published column -> split. Only some NLI sets have more than one.
        test_share: where a dataset has no test split, the share of its texts that is held out of training and
            tested on, decided for each text by its hash.
        text_columns: premise and hypothesis in NLI sets; else the columns that are joined to one text.
        label_column: a dot leads into a column of objects.
        classes: label in the dataset (name of a class label, else its plain value) -> meaning. Several labels
            may mean the same.
        excluded_classes: labels that have no hypothesis; their texts are left out.
        label_ranges: class -> lowest and highest number, where labels are numbers; what lies between
            is left out.
        average_labels_per_text: whether rows of one text are the votes of annotators.
        group_column: rows that follow one another with the same value here are one text.
        replacements: parts of texts that are written otherwise.
        text_characters: the shortest and longest text that is kept.
        unescape_html: whether texts hold HTML entities.
        max_train_per_class: texts per class to train on.
        max_train_texts: texts to train on, after the cap per class.
        max_test_per_class: texts per class to test on.
        max_test_rows: rows to test on in all.
        in_training: whether the all-33 models were trained on it.
        licence: of the source, as the overview of the published recipe states it.
        note: what a user must know.
    """

    name: str
    task: str
    train_split: str
    test_splits: Mapping[str, str]
    text_columns: tuple[str, ...]
    label_column: str
    classes: Mapping[str, RegisteredClass]
    licence: str
    hub: str | None = None
    config: str | None = None
    data_dir: str | None = None
    revision: str | None = None
    test_share: float | None = None
    excluded_classes: tuple[str, ...] = ()
    label_ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    average_labels_per_text: bool = False
    group_column: str | None = None
    replacements: Mapping[str, str] = field(default_factory=dict)
    text_characters: tuple[int, int] | None = None
    unescape_html: bool = False
    max_train_per_class: int | None = None
    max_train_texts: int | None = None
    max_test_per_class: int | None = None
    max_test_rows: int | None = None
    in_training: bool = True
    note: str = ""

    TASKS: ClassVar[tuple[str, ...]] = ("nli2", "nli3", "classification")

    def __post_init__(self) -> None:
        for reason in self._faults():
            raise DataError(f"registered dataset {self.name!r}: {reason}")
        for name in ("test_splits", "classes", "label_ranges", "replacements"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def is_nli(self) -> bool:
        """Whether the rows are premises with hypotheses already."""
        return self.task != "classification"

    @property
    def test_split(self) -> str:
        """The first, mostly only, split to test on."""
        return next(iter(self.test_splits.values()))

    @property
    def hypotheses(self) -> dict[str, str]:
        """The name of each class -> its hypothesis, each once, in the order of the registry."""
        return {
            meaning.name: meaning.hypothesis
            for meaning in self.classes.values()
            if meaning.hypothesis is not None
        }

    def _faults(self) -> list[str]:
        hypotheses = [meaning.hypothesis for meaning in self.classes.values()]
        by_name = {(meaning.name, meaning.hypothesis) for meaning in self.classes.values()}
        checks = {
            f"task is {self.task!r}, not one of {', '.join(self.TASKS)}": self.task in self.TASKS,
            "an NLI set needs two text columns, premise and hypothesis": not self.is_nli
            or len(self.text_columns) == 2,
            "a class lacks its hypothesis": self.is_nli or None not in hypotheses,
            "an NLI class has a hypothesis of its own": not self.is_nli or set(hypotheses) == {None},
            "two classes share a name or a hypothesis": self.is_nli
            or len(by_name) == len(dict(by_name)) == len({hypothesis for _, hypothesis in by_name}),
            "it has fewer than two classes": len({name for name, _ in by_name}) >= 2,
            "a class is excluded and has a hypothesis too": not set(self.classes)
            & set(self.excluded_classes),
            "label_ranges name classes that are not there": set(self.label_ranges) <= set(self.classes),
            "it has no test split": bool(self.test_splits),
            "test_share must lie between 0 and 1": self.test_share is None or 0 < self.test_share < 1,
            "train and test are one split and test_share is not given": self.test_share is not None
            or not set(self.train_split.split("+")) & set(self.test_splits.values()),
            "it is neither on the hub nor has a note that says where it is": bool(self.hub or self.note),
        }
        return [reason for reason, holds in checks.items() if not holds]


@cache
def read_registry() -> tuple[RegisteredDataset, ...]:
    """Return the registered datasets in published order; the 36 test columns are the keys of ``test_splits``.

    Raises:
        DataError: an entry contradicts itself.

    >>> sum(len(dataset.test_splits) for dataset in read_registry())
    36
    """
    text = resources.files("labelwise.evaluation").joinpath(_FILE).read_text(encoding="utf-8")
    datasets = tuple(_dataset(entry) for entry in json.loads(text))
    names = [dataset.name for dataset in datasets]
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise DataError(f"{_FILE} registers {doubled!r} twice: rename one")
    return datasets


def find_dataset(name: str) -> RegisteredDataset:
    """Return a registered dataset; case, ``_`` and ``-`` in the name do not matter.

    Raises:
        InputError: there is none of this name.

    >>> find_dataset("amazon_polarity").hub
    'fancyzhx/amazon_polarity'
    """
    for dataset in read_registry():
        if _plain(dataset.name) == _plain(name):
            return dataset
    known = ", ".join(dataset.name for dataset in read_registry())
    raise InputError(f"no dataset {name!r} is registered: known are {known}")


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _dataset(entry: Mapping[str, Any]) -> RegisteredDataset:
    known = {each.name for each in dataclasses.fields(RegisteredDataset)}
    unknown = sorted(set(entry) - known)
    if unknown:
        raise DataError(f"{_FILE}, {entry.get('name')!r}: unknown field {unknown[0]!r}")
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()
    }
    values["classes"] = {label: RegisteredClass(**meaning) for label, meaning in entry["classes"].items()}
    values["label_ranges"] = {
        label: (low, high) for label, (low, high) in entry.get("label_ranges", {}).items()
    }
    return RegisteredDataset(**values)

"""Evaluation protocols: which sets, which labels, which split, as data that anyone can write."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args

from labelwise.errors import DataError, InputError

__all__ = [
    "EvaluationSet",
    "EvaluationTask",
    "HubSplit",
    "Protocol",
    "built_in_protocols",
    "read_protocol",
]

EvaluationTask = Literal["classify", "entail", "rank", "answer"]
UNIVERSAL = "universal-36"

_FOLDER = "protocol_files"
_VERSION = 1


@dataclass(frozen=True, slots=True)
class HubSplit:
    """One split of a data set on the Hugging Face hub.

    Attributes:
        id: "owner/name".
        split: "test", "validation", ...
        config: the configuration.
        revision: branch, tag or commit.
        data_dir: the folder within the repository, where configurations are folders.
        registered: the dataset of the registry by whose rules rows are read.
    """

    id: str
    split: str = "test"
    config: str | None = None
    revision: str | None = None
    data_dir: str | None = None
    registered: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationSet:
    """One column of a protocol: the rows of one file or hub split, and how they are read and asked.

    Attributes:
        name: what tables call it; also the stem of its local file.
        task: "classify" (text, label), "entail" (premise, hypothesis, label), "rank" (query, candidates,
            relevance) or "answer" (SQuAD layout).
        path: the local file, from the data folder; None looks for the name with a known ending.
        hub: where it lies on the hub.
        columns: role -> column, where that is named otherwise: {"text": "sentence"}.
        labels: label -> what the model reads in its place (a hypothesis, a description, the label itself);
            empty takes the labels that occur.
        label_values: value in the file -> label, where they differ.
        excluded: labels of the file that nothing is scored for.
        template: the hypothesis template; None leaves it to the model.
        is_binary: entailment against everything else, also where three classes are told apart.
        max_texts_per_class: read at most that many, spread over the class evenly.
        max_rows: read at most that many in all, spread evenly, after the cap per class.
        note: what to know, such as where to get the file.

    Raises:
        InputError: the task is unknown, or a label is excluded and scored at once.
    """

    name: str
    task: EvaluationTask = "classify"
    path: str | None = None
    hub: HubSplit | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    label_values: Mapping[str, str] = field(default_factory=dict)
    excluded: tuple[str, ...] = ()
    template: str | None = None
    is_binary: bool = False
    max_texts_per_class: int | None = None
    max_rows: int | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if self.task not in get_args(EvaluationTask):
            raise InputError(
                f"set {self.name!r}: task {self.task!r} is not one of {', '.join(get_args(EvaluationTask))}"
            )
        both = sorted(set(self.excluded) & set(self.labels))
        if both:
            raise InputError(f"set {self.name!r}: label {both[0]!r} is excluded and scored at once")
        if self.max_texts_per_class is not None and self.max_texts_per_class < 1:
            raise InputError(
                f"set {self.name!r}: max_texts_per_class is {self.max_texts_per_class}; use 1 or more"
            )

    def column(self, role: str) -> str:
        """Return the column that holds "text", "label", "premise", ..."""
        return self.columns.get(role, role)


@dataclass(frozen=True, slots=True)
class Protocol:
    """A list of sets that belong into one table.

    Attributes:
        name: what it is called.
        measure: the measure whose mean over the sets is the figure of the table: "accuracy", "macro_f1".
        sets: its columns, in order.
        note: where it comes from and what to know.
    """

    name: str
    measure: str
    sets: tuple[EvaluationSet, ...]
    note: str = ""

    def __post_init__(self) -> None:
        names = [one.name for one in self.sets]
        doubled = next((name for name in names if names.count(name) > 1), None)
        if not names or doubled is not None:
            raise InputError(
                f"protocol {self.name!r} must name at least one set, each once (doubled: {doubled})"
            )

    def with_files(self, files: Mapping[str, Path]) -> Protocol:
        """Return the protocol with local files in place of what it names.

        Raises:
            InputError: a name is not that of a set.
        """
        known = {one.name for one in self.sets}
        unknown = next((name for name in files if name not in known), None)
        if unknown is not None:
            raise InputError(
                f"protocol {self.name!r} has no set {unknown!r}: its sets are {', '.join(sorted(known))}"
            )
        return replace(
            self,
            sets=tuple(
                replace(one, path=str(files[one.name].absolute())) if one.name in files else one
                for one in self.sets
            ),
        )


def built_in_protocols() -> tuple[str, ...]:
    """Return the names of the protocols that come with the package."""
    folder = resources.files("labelwise.evaluation").joinpath(_FOLDER)
    found = [entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json")]
    return (*sorted(found), UNIVERSAL)


def read_protocol(reference: str | Path) -> Protocol:
    """Return a protocol of the package by its name, or the one in a JSON file.

    The file holds ``{"version": 1, "name", "measure", "note", "sets": [{"name", "task", "path", ...}]}`` with
    the fields of ``EvaluationSet``; ``labels`` may be a list.

    Raises:
        InputError: there is no such protocol, or the file says something that has no meaning.
        DataError: the file is not JSON or lacks a field.

    >>> [one.name for one in read_protocol("gliclass-10").sets][:3]
    ['CR', 'sst2', 'sst5']
    """
    if str(reference) == UNIVERSAL:
        from labelwise.evaluation.universal import universal_protocol

        return universal_protocol()
    if str(reference) in built_in_protocols():
        file = resources.files("labelwise.evaluation").joinpath(_FOLDER, f"{reference}.json")
        return parse_protocol(file.read_text(encoding="utf-8"), source=str(reference))
    path = Path(reference)
    if not path.is_file():
        raise InputError(
            f"there is no protocol {str(reference)!r}: name a JSON file or {', '.join(built_in_protocols())}"
        )
    return parse_protocol(path.read_text(encoding="utf-8"), source=str(path))


def parse_protocol(text: str, *, source: str) -> Protocol:
    """Read a protocol from JSON; ``source`` is what messages call it.

    Raises:
        DataError: it is not JSON, of another version, or a field is missing, unknown or of the wrong type.
    """
    try:
        document = json.loads(text)
        if document["version"] != _VERSION:
            raise ValueError(f"version {document['version']!r} is not {_VERSION}")
        sets = tuple(_set_of(entry) for entry in document["sets"])
        return Protocol(document["name"], document["measure"], sets, document.get("note", ""))
    except InputError as error:
        raise DataError(f"protocol {source}: {error}") from error
    except KeyError as error:
        raise DataError(f"protocol {source} lacks the field {error}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise DataError(f"protocol {source} cannot be read: {error}") from error


def _set_of(entry: Mapping[str, Any]) -> EvaluationSet:
    known = {each.name for each in dataclasses.fields(EvaluationSet)}
    unknown = next((name for name in entry if name not in known), None)
    if unknown is not None:
        raise InputError(f"set {entry.get('name')!r} has the unknown field {unknown!r}")
    values = dict(entry)
    labels = values.get("labels", {})
    values["labels"] = dict(labels) if isinstance(labels, Mapping) else {label: label for label in labels}
    values["excluded"] = tuple(values.get("excluded", ()))
    if values.get("hub") is not None:
        values["hub"] = HubSplit(**values["hub"])
    return EvaluationSet(**values)

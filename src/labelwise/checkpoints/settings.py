"""The optional labelwise.json beside a model: the settings that belong to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from labelwise.checkpoints.heads import ROLES
from labelwise.checkpoints.json_file import read_json_object
from labelwise.errors import CheckpointError

__all__ = ["SETTINGS_FILE", "CheckpointSettings", "read_settings"]

SETTINGS_FILE = "labelwise.json"


@dataclass(frozen=True, slots=True)
class CheckpointSettings:
    """What a model's makers found to work best with it; each may be left out.

    Attributes:
        hypothesis_template: The sentence to try labels in, with exactly one ``{}``; None for the usual one.
        temperature: Divides the logits before they become probabilities; 1.0 changes nothing.
        thresholds: Label to the score it must reach.
        label_roles: Role ("entailment", "neutral", ...) to output index, where the label names do not tell.
        source: Where the model comes from, for people.
    """

    hypothesis_template: str | None = None
    temperature: float = 1.0
    thresholds: Mapping[str, float] = field(default_factory=dict)
    label_roles: Mapping[str, int] | None = None
    source: str | None = None

    def __post_init__(self) -> None:
        template = self.hypothesis_template
        if template is not None and not (isinstance(template, str) and template.count("{}") == 1):
            raise CheckpointError(
                f"hypothesis_template must be a text with exactly one {{}}, got {template!r}"
            )
        if not _is_number(self.temperature) or not 0.0 < self.temperature < float("inf"):
            raise CheckpointError(f"temperature must be a number above 0, got {self.temperature!r}")
        if not isinstance(self.thresholds, Mapping) or not all(map(_is_number, self.thresholds.values())):
            raise CheckpointError(f"thresholds must map labels to numbers, got {self.thresholds!r}")
        if self.label_roles is not None and not _are_roles(self.label_roles):
            raise CheckpointError(
                f"label_roles must map {', '.join(ROLES)} to output indices, got {self.label_roles!r}"
            )
        if self.source is not None and not isinstance(self.source, str):
            raise CheckpointError(f"source must be a text, got {self.source!r}")


def read_settings(folder: Path) -> CheckpointSettings:
    """Read labelwise.json from a folder; without it every setting has its default.

    Raises:
        CheckpointError: the file is not JSON, has an unknown key, or a value of the wrong type.
    """
    file = folder / SETTINGS_FILE
    if not file.exists():
        return CheckpointSettings()
    values = read_json_object(file)
    known = [entry.name for entry in fields(CheckpointSettings)]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise CheckpointError(f"{file}: unknown key {unknown[0]!r}; the known ones are {', '.join(known)}")
    try:
        return CheckpointSettings(**values)
    except CheckpointError as error:
        raise CheckpointError(f"{file}: {error}") from None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_roles(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        role in ROLES and isinstance(index, int) and not isinstance(index, bool) and index >= 0
        for role, index in value.items()
    )

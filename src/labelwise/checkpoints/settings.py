"""The optional labelwise.json beside a model: the settings that belong to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, Literal, get_args

from labelwise.checkpoints.heads import ROLES
from labelwise.checkpoints.json_file import read_json_object
from labelwise.errors import CheckpointError

__all__ = [
    "CALIBRATED_KEYS",
    "SETTINGS_FILE",
    "CheckpointSettings",
    "ScoreKind",
    "read_calibration",
    "read_settings",
]

SETTINGS_FILE = "labelwise.json"

# What a score is: one of several competing labels, a label judged by itself, or a class of a pair (rank asks
# for the same probability as entail). Each is a different logit of the model, so each may need its own
# temperature: one that helps pairs has been seen to hurt labels.
ScoreKind = Literal["classify", "multi_label", "entail"]

# What is measured on a model's scores: it says nothing of another model, such as a student of this one.
CALIBRATED_KEYS: Final = (
    "temperature",
    "task_temperatures",
    "thresholds",
    "default_threshold",
    "label_biases",
    "none_bias",
    "null_threshold",
)
# exp of it is still a number, and no logit of a model comes near it.
_GREATEST_BIAS: Final = 100.0


@dataclass(frozen=True, slots=True)
class CheckpointSettings:
    """What a model's makers found to work best with it; each may be left out.

    Attributes:
        hypothesis_template: The sentence to try labels in, with exactly one ``{}``; None for the usual one.
        temperature: Divides the logits before they become probabilities; 1.0 changes nothing.
        thresholds: Label to the score it must reach with ``multi_label``.
        label_roles: Role ("entailment", "neutral", ...) to output index, where the label names do not tell.
        source: Where the model comes from, for people.
        task_temperatures: "classify", "multi_label" or "entail" to the temperature in its place; the others
            keep ``temperature``.
        default_threshold: The score that labels without a threshold of their own must reach with
            ``multi_label``; None for 0.5.
        label_biases: Label to what is added to its logit, after the temperature, where every label that is
            asked for has one: they were learned together.
        none_bias: What is added to the log-odds that none of the labels fits.
        null_threshold: Logits by which "no answer" must beat the best span of a context.
    """

    hypothesis_template: str | None = None
    temperature: float = 1.0
    thresholds: Mapping[str, float] = field(default_factory=dict)
    label_roles: Mapping[str, int] | None = None
    source: str | None = None
    task_temperatures: Mapping[str, float] = field(default_factory=dict)
    default_threshold: float | None = None
    label_biases: Mapping[str, float] = field(default_factory=dict)
    none_bias: float = 0.0
    null_threshold: float = 0.0

    def __post_init__(self) -> None:
        template = self.hypothesis_template
        if template is not None and not (isinstance(template, str) and template.count("{}") == 1):
            raise CheckpointError(
                f"hypothesis_template must be a text with exactly one {{}}, got {template!r}"
            )
        if not _is_temperature(self.temperature):
            raise CheckpointError(f"temperature must be a number above 0, got {self.temperature!r}")
        if not isinstance(self.thresholds, Mapping) or not all(map(_is_number, self.thresholds.values())):
            raise CheckpointError(f"thresholds must map labels to numbers, got {self.thresholds!r}")
        if self.label_roles is not None and not _are_roles(self.label_roles):
            raise CheckpointError(
                f"label_roles must map {', '.join(ROLES)} to output indices, got {self.label_roles!r}"
            )
        if self.source is not None and not isinstance(self.source, str):
            raise CheckpointError(f"source must be a text, got {self.source!r}")
        self._check_calibration()

    def _check_calibration(self) -> None:
        kinds = get_args(ScoreKind)
        temperatures, threshold, biases = self.task_temperatures, self.default_threshold, self.label_biases
        if not isinstance(temperatures, Mapping) or not all(
            kind in kinds and _is_temperature(value) for kind, value in temperatures.items()
        ):
            raise CheckpointError(
                f"task_temperatures must map {', '.join(kinds)} to numbers above 0, got {temperatures!r}"
            )
        if threshold is not None and not (_is_number(threshold) and 0.0 <= threshold <= 1.0):
            raise CheckpointError(f"default_threshold must be a number from 0 to 1, got {threshold!r}")
        if not isinstance(biases, Mapping) or not all(map(_is_bias, biases.values())):
            raise CheckpointError(f"label_biases must map labels to numbers of -100 to 100, got {biases!r}")
        if not _is_bias(self.none_bias):
            raise CheckpointError(f"none_bias must be a number from -100 to 100, got {self.none_bias!r}")
        if not _is_bias(self.null_threshold):
            raise CheckpointError(
                f"null_threshold must be a number from -100 to 100, got {self.null_threshold!r}"
            )

    def temperature_of(self, kind: ScoreKind) -> float:
        """Return what divides the logits of that kind of score."""
        return self.task_temperatures.get(kind, self.temperature)

    def updated(self, **values: Any) -> CheckpointSettings:
        """Return these settings with other values.

        Task temperatures are joined to those that are there; a new ``temperature`` for all replaces them.

        Raises:
            CheckpointError: a value has the wrong type or range.
        """
        if "temperature" in values or "task_temperatures" in values:
            asked = values.get("task_temperatures", {})
            kept = {} if "temperature" in values else self.task_temperatures
            values["task_temperatures"] = {**kept, **asked} if isinstance(asked, Mapping) else asked
        return replace(self, **values)

    def without_calibration(self) -> CheckpointSettings:
        """Return the settings with which scores come as the model gives them."""
        usual = CheckpointSettings()
        return replace(self, **{key: getattr(usual, key) for key in CALIBRATED_KEYS})


def read_settings(folder: Path) -> CheckpointSettings:
    """Read labelwise.json from a folder; without it every setting has its default.

    Raises:
        CheckpointError: the file is not JSON, has an unknown key, or a value of the wrong type.
    """
    file = folder / SETTINGS_FILE
    if not file.exists():
        return CheckpointSettings()
    return _updated(CheckpointSettings(), file, known=[entry.name for entry in fields(CheckpointSettings)])


def read_calibration(file: Path, settings: CheckpointSettings) -> CheckpointSettings:
    """Read a calibration that is kept apart from its model and lay it over the model's own settings.

    It has the keys of labelwise.json, those that tell what the model is left out.

    Raises:
        CheckpointError: there is no such file, it is not JSON, or a key or value is not one of these.
    """
    return _updated(settings, file, known=["hypothesis_template", "source", *CALIBRATED_KEYS])


def _updated(settings: CheckpointSettings, file: Path, *, known: list[str]) -> CheckpointSettings:
    values = read_json_object(file)
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise CheckpointError(f"{file}: unknown key {unknown[0]!r}; the known ones are {', '.join(known)}")
    try:
        return settings.updated(**values)
    except CheckpointError as error:
        raise CheckpointError(f"{file}: {error}") from None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_temperature(value: Any) -> bool:
    return _is_number(value) and 0.0 < value < float("inf")


def _is_bias(value: Any) -> bool:
    return _is_number(value) and abs(value) <= _GREATEST_BIAS


def _are_roles(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        role in ROLES and isinstance(index, int) and not isinstance(index, bool) and index >= 0
        for role, index in value.items()
    )

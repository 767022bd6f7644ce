"""Keep what was fitted in the labelwise.json beside the model, or in a file of its own."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from labelwise.checkpoints.settings import (
    SETTINGS_FILE,
    CheckpointSettings,
    read_calibration,
    read_settings,
)
from labelwise.errors import CheckpointError

__all__ = ["save_calibration"]


def save_calibration(
    place: Path,
    *,
    temperature: float | None = None,
    task_temperatures: Mapping[str, float] | None = None,
    thresholds: Mapping[str, float] | None = None,
    default_threshold: float | None = None,
    label_biases: Mapping[str, float] | None = None,
    none_bias: float | None = None,
    null_threshold: float | None = None,
    hypothesis_template: str | None = None,
) -> CheckpointSettings:
    """Write fitted values into labelwise.json and return all settings that it then holds.

    Values left at None keep what the file says. The file is replaced in one step: whoever reads it
    meanwhile sees the old one or the new one.

    Args:
        place: a model's folder, or a file of its own ending in .json for ``load(calibration=...)``.
        temperature: for all kinds of scores, from ``fit_softmax_temperature`` or ``fit_sigmoid_temperature``.
            It is fitted to the logits before any temperature; replaces those that were there.
        task_temperatures: "classify", "multi_label" or "entail" to its own; the others stay.
        thresholds: label to least score at that temperature; replaces all that were there.
        default_threshold: that of all other labels with ``multi_label``.
        label_biases: label to what is added to its logit; replaces all that were there.
        none_bias: what is added to the log-odds that none of the labels fits.
        null_threshold: logits by which "no answer" must beat the best span.
        hypothesis_template: the template that the values were fitted with.

    Raises:
        CheckpointError: there is no such folder, it cannot be written, or the settings would not be valid.
    """
    given = {
        "temperature": temperature,
        "task_temperatures": _copied(task_temperatures),
        "thresholds": _copied(thresholds),
        "default_threshold": default_threshold,
        "label_biases": _copied(label_biases),
        "none_bias": none_bias,
        "null_threshold": null_threshold,
        "hypothesis_template": hypothesis_template,
    }
    values = {name: value for name, value in given.items() if value is not None}
    if place.suffix == ".json" and not place.is_dir():
        usual = CheckpointSettings()
        settings = (read_calibration(place, usual) if place.exists() else usual).updated(**values)
        _replace_file(place, _to_json(settings))
        return settings
    if not place.is_dir():
        raise CheckpointError(f"{place} is not a folder: give the folder of the model, or a file.json")
    settings = read_settings(place).updated(**values)
    _replace_file(place / SETTINGS_FILE, _to_json(settings))
    return settings


def _copied(by_label: Mapping[str, float] | None) -> dict[str, float] | None:
    return None if by_label is None else dict(by_label)


def _to_json(settings: CheckpointSettings) -> str:
    usual = CheckpointSettings()
    # Only what differs from the defaults, so that a later version may change those.
    changed = {
        entry.name: getattr(settings, entry.name)
        for entry in fields(settings)
        if getattr(settings, entry.name) != getattr(usual, entry.name)
    }
    return json.dumps(changed, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _replace_file(target: Path, content: str) -> None:
    try:
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        part = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            # mkstemp makes files that only their owner can read; models are shared between users.
            part.chmod(0o644)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise CheckpointError(f"{target} cannot be written: {error.strerror or error}") from error

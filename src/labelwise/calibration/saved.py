"""Keep what was fitted in the labelwise.json beside the model, where every verb finds it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from labelwise.checkpoints.settings import SETTINGS_FILE, CheckpointSettings, read_settings
from labelwise.errors import CheckpointError

__all__ = ["save_calibration"]


def save_calibration(
    folder: Path,
    *,
    temperature: float | None = None,
    thresholds: Mapping[str, float] | None = None,
    hypothesis_template: str | None = None,
) -> CheckpointSettings:
    """Write fitted values into the folder's labelwise.json and return all settings it then holds.

    Values left at None keep what the file says. The file is replaced in one step: whoever reads it
    meanwhile sees the old one or the new one.

    Args:
        folder: a model's folder.
        temperature: from ``fit_softmax_temperature`` or ``fit_sigmoid_temperature``. It is fitted to
            the logits before any temperature; replaces one that was there.
        thresholds: label to least score at that temperature; replaces all that were there.
        hypothesis_template: the template that the values were fitted with.

    Raises:
        CheckpointError: there is no such folder, it cannot be written, or the settings would not be valid.
    """
    if not folder.is_dir():
        raise CheckpointError(f"{folder} is not a folder: give the folder of the model")
    given = {
        "temperature": temperature,
        "thresholds": None if thresholds is None else dict(thresholds),
        "hypothesis_template": hypothesis_template,
    }
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    settings = replace(read_settings(folder), **changes)
    _replace_file(folder / SETTINGS_FILE, _to_json(settings))
    return settings


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

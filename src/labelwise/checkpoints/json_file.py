"""Read a small JSON file that somebody else wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from labelwise.errors import CheckpointError

__all__ = ["read_json_object"]

# A config is a few KB and a shard index of the largest encoder under 1 MB; more is not a config.
_MAX_BYTES = 32 * 1024 * 1024


def read_json_object(file: Path) -> dict[str, Any]:
    """Read a JSON file whose outermost value is an object.

    Raises:
        CheckpointError: it cannot be read, is too large, is not JSON, or holds something else.
    """
    try:
        size = file.stat().st_size
        if size > _MAX_BYTES:
            raise CheckpointError(f"{file} has {size} bytes: too large for a settings file")
        value = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(f"{file} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{file} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{file} must hold a JSON object, got {type(value).__name__}")
    return value

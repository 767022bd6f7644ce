"""Small description files, JSON or YAML, that people write by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from labelwise.errors import DataError, require
from labelwise.training.recipe_file import read_recipe_file

__all__ = ["read_description"]

_YAML_ENDINGS: Final = (".yaml", ".yml")


def read_description(path: Path) -> dict[str, Any]:
    """Read an object from a JSON file, or from YAML where the ending says so.

    Raises:
        DataError: the file cannot be read, or holds something else.
        MissingExtraError: it is YAML and PyYAML is not installed.
    """
    if path.suffix.lower() not in _YAML_ENDINGS:
        return read_recipe_file(path)
    yaml = require("yaml", extra="train")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise DataError(f"cannot read the recipe {path}: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise DataError(f"the recipe {path} is not a YAML mapping of names to values")
    return values

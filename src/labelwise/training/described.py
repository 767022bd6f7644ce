"""Small description files, JSON or YAML, that people write by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from labelwise.errors import DataError, require

__all__ = ["read_description"]

_YAML_ENDINGS: Final = (".yaml", ".yml")
_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+$")


def read_description(path: Path) -> dict[str, Any]:
    """Read an object from a JSON file, or from YAML where the file is called .yaml or .yml.

    Raises:
        DataError: the file cannot be read, or holds something else.
        MissingExtraError: it is YAML and PyYAML is not installed.
    """
    return _read_yaml(path) if path.suffix.lower() in _YAML_ENDINGS else _read_json(path)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"cannot read the recipe {path}: {error}") from error
    if not isinstance(values, dict):
        raise DataError(f"the recipe {path} is not a JSON object")
    return values


def _read_yaml(path: Path) -> dict[str, Any]:
    yaml = require("yaml", extra="train")
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), Loader=_loader(yaml))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise DataError(f"cannot read the recipe {path}: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise DataError(f"the recipe {path} is not a YAML mapping of names to values")
    return values


def _loader(yaml: ModuleType) -> Any:
    # YAML 1.1, which PyYAML reads, takes 2e-5 for a word: as a learning rate it is meant as a number.
    loader: Any = type("RecipeLoader", (yaml.SafeLoader,), {})
    loader.add_implicit_resolver("tag:yaml.org,2002:float", _NUMBER, list("-+.0123456789"))
    return loader

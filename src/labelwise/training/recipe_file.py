"""Recipe files: JSON in, self-checking values out, each fault named."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from labelwise.errors import DataError, InputError

__all__ = ["build_part", "read_recipe_file"]

Value = TypeVar("Value")


def read_recipe_file(path: Path) -> dict[str, Any]:
    """Read the JSON object that a recipe is.

    A JSON recipe that says ``"like": FILE`` has all fields of that recipe, which may itself be like another,
    but those that it gives itself; ``hyperparameters`` are taken over one by one.

    Raises:
        DataError: the file cannot be read, or is not a JSON object, or recipes are like each other in a ring.
    """
    return _read_likened(path, ())


def _read_likened(path: Path, likened: tuple[Path, ...]) -> dict[str, Any]:
    if path.resolve() in likened:
        way = ", ".join(file.name for file in likened)
        raise DataError(f"{path} is like itself, by way of {way}: one of them must stand for itself")
    values = _read_object(path)
    if "like" not in values:
        return values
    model = _read_likened(path.parent / str(values.pop("like")), (*likened, path.resolve()))
    fitted = {**(model.get("hyperparameters") or {}), **(values.get("hyperparameters") or {})}
    return {**model, **values, "hyperparameters": fitted}


def _read_object(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read the recipe {path}: {error}") from error
    if not isinstance(values, dict):
        raise DataError(f"the recipe {path} is not a JSON object")
    return values


def build_part(kind: type[Value], values: Mapping[str, Any], *, where: str = "the recipe") -> Value:
    """Make a dataclass of a part of a recipe; lists become tuples.

    Args:
        kind: the dataclass.
        values: its fields by name.
        where: what errors call this part.

    Raises:
        InputError: a field is unknown, missing or out of range.
    """
    known = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - known)
    if unknown:
        raise InputError(f"{where} has an unknown field {unknown[0]!r}: known are {', '.join(sorted(known))}")
    fixed = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    try:
        return kind(**fixed)
    except TypeError as error:
        raise InputError(f"{where} does not give every field of {kind.__name__}: {error}") from error

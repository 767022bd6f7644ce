"""Recipe files: JSON or YAML in, self-checking values out, each fault named."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from labelwise.errors import DataError, InputError
from labelwise.training.described import read_description

__all__ = ["build_part", "build_sources", "read_recipe_file"]

Value = TypeVar("Value")


def read_recipe_file(path: Path) -> dict[str, Any]:
    """Read the object that a recipe is, from JSON, or from YAML where the file is called .yaml or .yml.

    A recipe that says ``like: FILE`` has all fields of that recipe, which may itself be like another and of
    the other format, but those that it gives itself; ``hyperparameters`` are taken over one by one. A field
    that is null or, in YAML, empty counts as left out.

    Raises:
        DataError: the file cannot be read, or is not an object, or recipes are like each other in a ring.
        MissingExtraError: it is YAML and PyYAML is not installed.
    """
    return {name: value for name, value in _read_likened(path, ()).items() if value is not None}


def _read_likened(path: Path, likened: tuple[Path, ...]) -> dict[str, Any]:
    if path.resolve() in likened:
        way = ", ".join(file.name for file in likened)
        raise DataError(f"{path} is like itself, by way of {way}: one of them must stand for itself")
    values = read_description(path)
    if "like" not in values:
        return values
    model = _read_likened(path.parent / str(values.pop("like")), (*likened, path.resolve()))
    fitted = {**(model.get("hyperparameters") or {}), **(values.get("hyperparameters") or {})}
    return {**model, **values, "hyperparameters": fitted}


def build_part(kind: type[Value], values: Mapping[str, Any], *, where: str = "the recipe") -> Value:
    """Make a dataclass of a part of a recipe; lists become tuples.

    Args:
        kind: the dataclass.
        values: its fields by name.
        where: what errors call this part.

    Raises:
        InputError: a field is unknown, missing or out of range, or there are no fields.
    """
    if not isinstance(values, Mapping):
        raise InputError(f"{where} is {values!r}: give its fields by name")
    known = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(map(str, set(values) - known))
    if unknown:
        raise InputError(f"{where} has an unknown field {unknown[0]!r}: known are {', '.join(sorted(known))}")
    fixed = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    try:
        return kind(**fixed)
    except TypeError as error:
        raise InputError(f"{where} does not give every field of {kind.__name__}: {error}") from error


def build_sources(
    kind: type[Value], written: Any, defaults: Mapping[str, Any], *, where: str
) -> tuple[Value, ...]:
    """Make a recipe's list of sources; one may be a file's path alone, and all have the default fields.

    Raises:
        InputError: it is not a list of sources, or a source has an unknown or wrong field.
    """
    if not isinstance(written, (list, tuple)) or not all(isinstance(one, (str, Mapping)) for one in written):
        raise InputError(f"{where} is {written!r}: give a list of paths, or of sources with a path")
    fields = [{"path": one} if isinstance(one, str) else one for one in written]
    return tuple(
        build_part(kind, {**defaults, **one}, where=f"{one.get('path') or one.get('hub')} in {where}")
        for one in fields
    )

"""Rows of a dataset on the Hugging Face hub, through the ``datasets`` library, with class labels as names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from labelwise.errors import DataError, InputError, require
from labelwise.files.row import Row

__all__ = ["hub_rows"]


def hub_rows(
    hub: str,
    *,
    split: str,
    config: str | None = None,
    data_dir: str | None = None,
    revision: str | None = None,
    columns: Collection[str] = (),
    number_columns: Collection[str] = (),
) -> Iterator[Row]:
    """Open a split of a hub dataset, or of a local folder of data files; rows are numbered from 1.

    Args:
        hub: ``owner/name``, or a folder.
        split: a split, or several joined by ``+``.
        config: the configuration.
        data_dir: the folder within the dataset.
        revision: the branch or commit.
        columns: the columns that must be there; others are not read. All if empty.
        number_columns: class labels that stay numbers.

    Raises:
        DataError: there is no such dataset, configuration or split, or it cannot be fetched.
        InputError: a column is missing.
    """
    dataset = _load(hub, split=split, config=config, data_dir=data_dir, revision=revision)
    missing = [column for column in columns if column not in dataset.column_names]
    if missing:
        existing = ", ".join(repr(name) for name in dataset.column_names)
        raise InputError(f"{hub} has no column {missing[0]!r}: it has {existing}")
    if columns:
        dataset = dataset.select_columns(list(dict.fromkeys(columns)))
    features = {name: one for name, one in dataset.features.items() if name not in number_columns}
    return _rows(dataset, features)


def _load(hub: str, *, split: str, config: str | None, data_dir: str | None, revision: str | None) -> Any:
    datasets = require("datasets", extra="train")
    try:
        return datasets.load_dataset(hub, config, data_dir=data_dir, split=split, revision=revision)
    except (OSError, ValueError, RuntimeError, LookupError, datasets.exceptions.DatasetsError) as error:
        asked = "".join(
            f", {name} {value!r}"
            for name, value in (("config", config), ("data_dir", data_dir), ("revision", revision))
            if value is not None
        )
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"cannot load {hub!r}, split {split!r}{asked}: {reason}") from error


def _rows(dataset: Any, features: Mapping[str, Any]) -> Iterator[Row]:
    for number, values in enumerate(dataset, start=1):
        yield Row(number, {name: _named(value, features.get(name)) for name, value in values.items()})


def _named(value: Any, feature: Any) -> Any:
    """Replace class numbers by their names, in lists and objects too."""
    names = getattr(feature, "names", None)
    if names is not None and isinstance(value, int):
        return names[value] if 0 <= value < len(names) else str(value)
    inner = feature[0] if isinstance(feature, list) and feature else getattr(feature, "feature", None)
    if isinstance(value, list):
        return [_named(item, inner) for item in value] if inner is not None else value
    if isinstance(value, Mapping):
        # A list of objects may be held as an object of lists.
        if isinstance(inner, Mapping):
            return {name: [_named(item, inner.get(name)) for item in items] for name, items in value.items()}
        if isinstance(feature, Mapping):
            return {name: _named(item, feature.get(name)) for name, item in value.items()}
    return value

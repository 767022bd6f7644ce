"""Rows of a data set on the Hugging Face hub, in the shape that files have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from labelwise.errors import DataError, require
from labelwise.evaluation.protocols import HubSplit
from labelwise.evaluation.registry import find_dataset
from labelwise.evaluation.registry_rows import LeftOutRow, registered_rows

__all__ = ["HubUnreachableError", "hub_rows"]

NumberedRow = tuple[int, Mapping[str, Any]]


class HubUnreachableError(DataError):
    """There is no way to the hub: asking for the next set would only wait again."""


def hub_rows(
    source: HubSplit, *, on_bad: Callable[[LeftOutRow], None] | None = None
) -> Iterator[NumberedRow]:
    """Yield (row number, column -> value); class numbers are replaced by their names.

    A registered data set comes out in the plain columns: text and label, or premise, hypothesis and label.
    Code in a data set's repository is never run: ``datasets`` 4 and later cannot.

    Args:
        source: where the split lies.
        on_bad: told of each row that the registry cannot read, which is then left out; None stops there.

    Raises:
        HubUnreachableError: there is no way to the hub.
        DataError: the hub has no such data set, configuration or split, or a row cannot be read.
        MissingExtraError: ``datasets`` is not installed.
    """
    datasets = require("datasets", extra="train")
    try:
        loaded = datasets.load_dataset(
            source.id,
            source.config,
            split=source.split,
            revision=source.revision,
            data_dir=source.data_dir,
        )
    # What goes wrong between here and the hub has no common type: connection, HTTP, file and format errors.
    except Exception as error:
        first_line = " ".join(str(error).split())[:160]
        kind = HubUnreachableError if isinstance(error, ConnectionError) else DataError
        raise kind(
            f"{source.id} ({source.split}) cannot be had from the hub: {type(error).__name__}: {first_line}"
        ) from error
    registered = None if source.registered is None else find_dataset(source.registered)
    # Where a class is a range of numbers, the numbers of a class label are those numbers.
    features = loaded.features if registered is None or not registered.label_ranges else {}
    rows = (
        (number, {column: _named(value, features.get(column)) for column, value in row.items()})
        for number, row in enumerate(loaded, start=1)
    )
    return rows if source.registered is None else _plain_rows(source.registered, rows, on_bad)


def _plain_rows(
    name: str, rows: Iterator[NumberedRow], on_bad: Callable[[LeftOutRow], None] | None
) -> Iterator[NumberedRow]:
    for row in registered_rows(find_dataset(name), rows, part="test"):
        if isinstance(row, LeftOutRow):
            if row.is_planned:
                continue
            if on_bad is None:
                raise DataError(f"row {row.number} of {name}: {row.reason}")
            on_bad(row)
        elif row.hypothesis is None:
            yield row.number, {"text": row.text, "label": row.label}
        else:
            yield row.number, {"premise": row.text, "hypothesis": row.hypothesis, "label": row.label}


def _named(value: Any, feature: Any) -> Any:
    """Put names in place of class numbers, inside lists and objects too."""
    names = getattr(feature, "names", None)
    if isinstance(value, int) and names is not None:
        return names[value] if 0 <= value < len(names) else value
    if isinstance(value, dict) and isinstance(feature, Mapping):
        return {key: _named(inner, feature.get(key)) for key, inner in value.items()}
    if isinstance(value, list):
        member = feature[0] if isinstance(feature, list) and feature else getattr(feature, "feature", None)
        return [_named(inner, member) for inner in value]
    return value

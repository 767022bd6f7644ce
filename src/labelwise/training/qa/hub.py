"""Questions from a hub data set with SQuAD's columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labelwise.errors import DataError, require
from labelwise.training.qa.raw import RawQuestion

__all__ = ["hub_questions"]


def hub_questions(
    hub: str, *, split: str, revision: str | None = None, subset: str | None = None
) -> Iterator[RawQuestion]:
    """Yield the rows of a data set: ``id``, ``question``, ``context``, ``answers`` and, if there, ``title``.

    Raises:
        DataError: ``datasets`` cannot load it; its own message is passed on.
        MissingExtraError: ``datasets`` is not installed.
    """
    datasets = require("datasets", extra="train")
    try:
        rows = datasets.load_dataset(hub, subset, split=split, revision=revision)
    except Exception as error:  # the library raises whatever its file readers and the network raise
        raise DataError(f"the data set {hub!r} cannot be loaded: {' '.join(str(error).split())}") from error
    for number, row in enumerate(rows, start=1):
        # Rows of one article stand under one title; without a title there is nothing to pair with.
        title = row.get("title")
        yield RawQuestion(
            number=number,
            id=row.get("id", number),
            question=row.get("question"),
            context=row.get("context"),
            answers=_answers(row.get("answers")),
            article=f"{hub}#{title}" if title else "",
        )


def _answers(value: Any) -> Any:
    """Turn the columns ``text`` and ``answer_start`` of a row into one mapping per answer."""
    if not isinstance(value, Mapping):
        return value
    texts, starts = value.get("text"), value.get("answer_start")
    if not isinstance(texts, list) or not isinstance(starts, list) or len(texts) != len(starts):
        return None
    return [{"text": text, "answer_start": start} for text, start in zip(texts, starts, strict=True)]

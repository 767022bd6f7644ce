"""One item, a list or a stream: check what a verb was given, and run it in the matching shape."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from labelwise.errors import InputError
from labelwise.labels import Labels, LabelSet, are_per_text

__all__ = [
    "Pair",
    "checked_pairs",
    "checked_text",
    "in_chunks",
    "one_or_many",
    "single_pair",
    "with_label_sets",
]

Item = TypeVar("Item")
Result = TypeVar("Result")
Pair = tuple[str, str]

# A stream is read this many items at a time: enough for well-filled batches, little to hold.
_CHUNK_ITEMS = 512


def checked_text(text: object, name: str) -> str:
    """Refuse what is no string or has no words."""
    if not isinstance(text, str):
        raise InputError(f"{name} must be a string, got {type(text).__name__}")
    if not text.strip():
        raise InputError(f"{name} is blank; give it some words")
    return text


def checked_pairs(pairs: Sequence[Pair], first: str, second: str) -> list[Pair]:
    """Refuse pairs that are not two strings with words; ``first`` and ``second`` name them in the error."""
    checked = []
    for number, pair in enumerate(pairs, start=1):
        if isinstance(pair, str) or len(pair) != 2:
            raise InputError(f"pair {number} must be ({first}, {second}), got {pair!r:.60}")
        checked.append(
            (
                checked_text(pair[0], f"the {first} of pair {number}"),
                checked_text(pair[1], f"the {second} of pair {number}"),
            )
        )
    return checked


def single_pair(first: str | None, second: str | None, pairs: object, named: str) -> Pair | None:
    """Return the one pair that was given, or None when ``pairs`` was given in its place."""
    if pairs is not None:
        if first is not None or second is not None:
            raise InputError(f"give a {named}, or pairs=[...], not both")
        return None
    if first is None or second is None:
        raise InputError(f"give a {named}, or pairs=[(...), ...]")
    return first, second


def one_or_many(
    single: Pair | None, pairs: Iterable[Pair] | None, run: Callable[[Sequence[Pair]], Sequence[Result]]
) -> Result | Sequence[Result] | Iterator[Result]:
    """Answer one pair with one result, a list with a list, a stream with a stream."""
    if single is not None:
        return run([single])[0]
    assert pairs is not None
    return run(pairs) if isinstance(pairs, Sequence) else in_chunks(pairs, run)


def in_chunks(items: Iterable[Item], run: Callable[[Sequence[Item]], Sequence[Result]]) -> Iterator[Result]:
    """Run a stream a chunk at a time, so that memory does not grow with its length."""
    iterator = iter(items)
    while chunk := list(itertools.islice(iterator, _CHUNK_ITEMS)):
        yield from run(chunk)


def with_label_sets(
    texts: Iterable[str], labels: Labels | Iterable[Labels]
) -> Iterator[tuple[str, LabelSet]]:
    """Pair a stream of texts with one label set for all, or with a list or stream of their own."""
    if isinstance(labels, (str, Mapping)) or (isinstance(labels, Sequence) and not are_per_text(labels)):
        shared = LabelSet.parse(labels)
        return ((text, shared) for text in texts)
    return ((text, LabelSet.parse(own)) for text, own in zip(texts, labels, strict=True))

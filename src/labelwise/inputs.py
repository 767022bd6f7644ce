"""One item, a list or a stream: check what a verb was given, and run it in the matching shape."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from labelwise.errors import InputError, LabelError
from labelwise.labels import Labels, LabelSet, are_per_text

__all__ = [
    "Pair",
    "checked_pairs",
    "checked_text",
    "checked_texts",
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


def checked_texts(texts: Iterable[str]) -> Iterator[str]:
    """Pass texts on as they are read, each checked and named by its place among all of them."""
    for number, text in enumerate(_checked_iterable(texts, "texts"), start=1):
        yield checked_text(text, f"text {number}")


def checked_pairs(pairs: Iterable[Pair], first: str, second: str) -> Iterator[Pair]:
    """Pass pairs of two strings with words on, and refuse others; ``first`` and ``second`` name the sides."""
    for number, pair in enumerate(_checked_iterable(pairs, "pairs"), start=1):
        if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
            raise InputError(f"pair {number} must be ({first}, {second}), got {pair!r:.60}")
        yield (
            checked_text(pair[0], f"the {first} of pair {number}"),
            checked_text(pair[1], f"the {second} of pair {number}"),
        )


def _checked_iterable(items: Iterable[Item], name: str) -> Iterable[Item]:
    if not isinstance(items, Iterable):
        raise InputError(f"{name} must be a list or a stream, got {type(items).__name__}")
    return items


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
    single: Pair | None,
    pairs: Iterable[Pair] | None,
    run: Callable[[Sequence[Pair]], Sequence[Result]],
    *,
    sides: Pair,
) -> Result | Sequence[Result] | Iterator[Result]:
    """Answer one pair with one result, a list with a list, a stream with a stream.

    ``sides`` names the two texts of a pair in errors.
    """
    if single is not None:
        return run(list(checked_pairs([single], *sides)))[0]
    assert pairs is not None
    checked = checked_pairs(_checked_iterable(pairs, "pairs"), *sides)
    return run(list(checked)) if isinstance(pairs, Sequence) else in_chunks(checked, run)


def in_chunks(items: Iterable[Item], run: Callable[[Sequence[Item]], Sequence[Result]]) -> Iterator[Result]:
    """Run a stream a chunk at a time, so that memory does not grow with its length."""
    iterator = iter(items)
    while chunk := list(itertools.islice(iterator, _CHUNK_ITEMS)):
        yield from run(chunk)


def with_label_sets(
    texts: Iterable[str], labels: Labels | Iterable[Labels]
) -> Iterator[tuple[str, LabelSet]]:
    """Pair a stream of texts with one label set for all, or with a list or stream of their own.

    A stream's label sets are checked as they are read.

    Raises:
        LabelError: the labels are not valid, or there is not one label set per text.
    """
    checked = checked_texts(_checked_iterable(texts, "texts"))
    is_shared = isinstance(labels, (str, Mapping)) or not isinstance(labels, Iterable)
    if is_shared or (isinstance(labels, Sequence) and not are_per_text(labels)):
        shared = LabelSet.parse(labels)  # type: ignore[arg-type]
        return ((text, shared) for text in checked)
    return _with_own_labels(checked, iter(labels))


def _with_own_labels(texts: Iterator[str], labels: Iterator[Labels]) -> Iterator[tuple[str, LabelSet]]:
    missing = object()
    for number, (text, own) in enumerate(itertools.zip_longest(texts, labels, fillvalue=missing), start=1):
        if text is missing or own is missing:
            ended, other = ("texts", "label sets") if text is missing else ("label sets", "texts")
            raise LabelError(
                f"the {ended} end after {number - 1}, the {other} go on; give one label set per text"
            )
        try:
            label_set = LabelSet.parse(own)  # type: ignore[arg-type]
        except LabelError as error:
            raise LabelError(f"labels of text {number}: {error}") from None
        yield str(text), label_set

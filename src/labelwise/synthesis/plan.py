"""Which bundles to ask for: every one follows from the seed and its number alone."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeVar

from labelwise.errors import InputError
from labelwise.synthesis.catalogue import GENRES, LENGTH_BANDS, READING_LEVELS, TOPICS, LengthBand

__all__ = ["BundleRequest", "SynthesisPlan"]

_MIN_TEXTS: Final = 2
_MAX_TEXTS: Final = 20
_MIN_LABELS: Final = 4
_MAX_LABELS: Final = 40
_MAX_PASSAGE_CHARACTERS: Final = 8_000

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class BundleRequest:
    """What one bundle shall be.

    Attributes:
        number: its place in the plan, from 0 on.
        passage: a text to take the subject matter from, or None.
    """

    number: int
    genre: str
    length: LengthBand
    reading_level: str
    topic: str
    passage: str | None
    num_texts: int
    num_labels: int


@dataclass(frozen=True, slots=True)
class SynthesisPlan:
    """An endless sequence of bundles: all genres x lengths x reading levels, before one is repeated.

    Attributes:
        texts_per_bundle: texts that share a pool of labels, 2 to 20.
        labels_per_bundle: size of the pool, 4 to 40.
        topics: subjects, taken in turn.
        passages: texts to take subject matter from, taken in turn; none by default.

    Raises:
        InputError: a setting is out of range or not in the catalogue.

    >>> SynthesisPlan(seed=7, lengths=("short",)).bundle(0).length.max_words
    40
    """

    seed: int = 0
    genres: tuple[str, ...] = GENRES
    lengths: tuple[str, ...] = tuple(LENGTH_BANDS)
    reading_levels: tuple[str, ...] = tuple(READING_LEVELS)
    topics: tuple[str, ...] = TOPICS
    passages: tuple[str, ...] = ()
    texts_per_bundle: int = 5
    labels_per_bundle: int = 15

    def __post_init__(self) -> None:
        _require_between("texts per bundle", self.texts_per_bundle, _MIN_TEXTS, _MAX_TEXTS)
        _require_between("labels per bundle", self.labels_per_bundle, _MIN_LABELS, _MAX_LABELS)
        _require_known("length", self.lengths, LENGTH_BANDS)
        _require_known("reading level", self.reading_levels, READING_LEVELS)
        _require_texts("genre", self.genres)
        _require_texts("topic", self.topics)
        for number, passage in enumerate(self.passages, start=1):
            if not passage.strip() or len(passage) > _MAX_PASSAGE_CHARACTERS:
                raise InputError(
                    f"passage {number} has {len(passage)} characters: give 1 to {_MAX_PASSAGE_CHARACTERS}, "
                    f"not only white space"
                )

    def bundle(self, number: int) -> BundleRequest:
        """Return one bundle of the plan; the same for the same plan and number on every machine."""
        num_combinations = len(self.genres) * len(self.lengths) * len(self.reading_levels)
        combination = _in_turn(range(num_combinations), number, seed=f"{self.seed} combinations")
        rest, level = divmod(combination, len(self.reading_levels))
        genre, length = divmod(rest, len(self.lengths))
        return BundleRequest(
            number=number,
            genre=self.genres[genre],
            length=LENGTH_BANDS[self.lengths[length]],
            reading_level=self.reading_levels[level],
            topic=_in_turn(self.topics, number, seed=f"{self.seed} topics"),
            passage=_in_turn(self.passages, number, seed=f"{self.seed} passages") if self.passages else None,
            num_texts=self.texts_per_bundle,
            num_labels=self.labels_per_bundle,
        )

    def fingerprint(self) -> dict[str, str]:
        """Return what two plans must share for one to go on where the other stopped, by setting."""
        return {
            "seed": str(self.seed),
            "texts per bundle": str(self.texts_per_bundle),
            "labels per bundle": str(self.labels_per_bundle),
            "lengths": ", ".join(self.lengths),
            "reading levels": ", ".join(self.reading_levels),
            "genres": _digest(self.genres),
            "topics": _digest(self.topics),
            "passages": _digest(self.passages),
        }


def _in_turn(items: Sequence[Item], number: int, *, seed: str) -> Item:
    round_number, position = divmod(number, len(items))
    return items[_shuffled_positions(len(items), f"{seed} {round_number}")[position]]


@lru_cache(maxsize=16)
def _shuffled_positions(count: int, seed: str) -> tuple[int, ...]:
    # Seeded with a string, Random does not depend on the process's hash seed.
    positions = list(range(count))
    random.Random(seed).shuffle(positions)
    return tuple(positions)


def _digest(texts: Sequence[str]) -> str:
    return f"{len(texts)} with sha256 {hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:16]}"


def _require_between(what: str, value: int, smallest: int, largest: int) -> None:
    if not smallest <= value <= largest:
        raise InputError(f"{what} is {value}: give a number from {smallest} to {largest}")


def _require_known(what: str, given: Sequence[str], known: Mapping[str, object]) -> None:
    _require_texts(what, given)
    for name in given:
        if name not in known:
            raise InputError(f"{what} {name!r:.60} is not known: use {', '.join(known)}")


def _require_texts(what: str, given: Sequence[str]) -> None:
    if not given:
        raise InputError(f"no {what} is left to ask for: give at least one, or leave the choice out")
    for text in given:
        if not text.strip():
            raise InputError(f"a {what} is blank: give it some words")
    if len(set(given)) < len(given):
        raise InputError(f"a {what} is given twice: give each once")

"""Texts and labels to measure on: a user's own, or made to a length in tokens."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from labelwise.errors import InputError
from labelwise.text.tokenizer import TextTokenizer

__all__ = ["TokenRange", "Workload", "made_labels", "made_texts", "parse_token_ranges"]

_TOPICS: Final = (
    "billing",
    "delivery",
    "product",
    "account",
    "weather",
    "travel",
    "health",
    "music",
    "school",
)
_MATTERS: Final = ("problem", "delay", "praise", "access", "question", "request", "news", "advice", "report")
_SENTENCE: Final = (
    "the parcel that I ordered last week has not arrived and nobody at the shop answers my calls about it so "
    "I would like to know when it comes or else have my money back before the end of this month because the "
    "same thing went wrong in the spring when the new phone was sent to a house on the other side of the city"
)


@dataclass(frozen=True, slots=True)
class Workload:
    """What every system is given in one turn."""

    name: str
    texts: tuple[str, ...]
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.texts:
            raise InputError(f"there are no texts to measure {self.name!r} on")
        if not self.labels:
            raise InputError("there are no labels: give at least one")
        if len(set(self.labels)) != len(self.labels):
            raise InputError("two labels are the same: give each once")

    @property
    def num_pairs(self) -> int:
        """One per text and label."""
        return len(self.texts) * len(self.labels)


@dataclass(frozen=True, slots=True)
class TokenRange:
    """Lengths of texts in tokens, without the label and control tokens; both ends belong to it."""

    shortest: int
    longest: int

    def __post_init__(self) -> None:
        if not 1 <= self.shortest <= self.longest:
            raise InputError(f"--tokens {self.name}: lengths must be at least 1 and rise")

    @property
    def name(self) -> str:
        """As it is typed: "57", or "150-350"."""
        return f"{self.shortest}" if self.shortest == self.longest else f"{self.shortest}-{self.longest}"

    def lengths(self, count: int, *, seed: int = 0) -> list[int]:
        """Return lengths that are spread evenly over the range, in a random but fixed order."""
        last = max(count - 1, 1)
        even = [
            self.shortest + round((self.longest - self.shortest) * place / last) for place in range(count)
        ]
        random.Random(seed).shuffle(even)
        return even


def parse_token_ranges(text: str) -> list[TokenRange]:
    """Read lengths and ranges of lengths.

    Raises:
        InputError: a part is neither.

    >>> [one.name for one in parse_token_ranges("20, 150-350")]
    ['20', '150-350']
    """
    ranges = []
    for part in text.split(","):
        low, _, high = part.strip().partition("-")
        if not low.isdecimal() or (high and not high.isdecimal()):
            raise InputError(
                f"--tokens {text!r}: {part.strip()!r} is neither a length nor a range like 150-350"
            )
        ranges.append(TokenRange(int(low), int(high or low)))
    return ranges


def made_texts(tokenizer: TextTokenizer, lengths: Iterable[int], *, seed: int = 0) -> list[str]:
    """Make texts of common words, each as many tokens long as asked.

    A length is met exactly where the vocabulary has words of one token, and else passed by less than a word.
    """
    words = sorted(set(_SENTENCE.split()))
    random_words = random.Random(seed)
    base = len(tokenizer.encode("the"))
    short = [word for word in words if len(tokenizer.encode(f"the {word}")) == base + 1] or words
    texts = []
    for length in lengths:
        text = random_words.choice(short)
        missing = length - len(tokenizer.encode(text))
        while missing > 0:
            # One word is at least one token, so this never passes the length by more than the last words do.
            count = missing if short is not words else 1
            text = " ".join([text, *random_words.choices(short, k=count)])
            missing = length - len(tokenizer.encode(text))
        texts.append(text)
    return texts


def made_labels(count: int) -> Sequence[str]:
    """Return that many different labels of two words, or of three from the 82nd on.

    >>> made_labels(2)
    ['billing problem', 'delivery delay']

    Raises:
        InputError: the count is below 1.
    """
    if count < 1:
        raise InputError(f"the number of labels must be at least 1, got {count}")
    labels = []
    for number in range(count):
        shift, place = divmod(number, len(_TOPICS))
        again, shift = divmod(shift, len(_MATTERS))
        label = f"{_TOPICS[place]} {_MATTERS[(place + shift) % len(_MATTERS)]}"
        labels.append(f"{label} {again}" if again else label)
    return labels

"""Made-up but sensible sentences: texts to try a model on where none are given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

__all__ = ["LABELS", "make_passages", "make_questions"]

_WHO: Final = (
    "The customer", "A teacher", "My neighbour", "The committee", "Our driver", "A young doctor",
    "The company", "Nobody in town", "The referee", "An old friend", "The minister", "Her brother",
    "The engineer",
)  # fmt: skip
_DID: Final = (
    "returned", "praised", "forgot", "sold", "repaired", "described", "refused", "ordered", "lost", "opened",
    "compared", "cancelled", "recommended", "broke", "paid for",
)  # fmt: skip
_WHAT: Final = (
    "the parcel", "a blue bicycle", "the annual report", "two tickets", "the broken lamp", "a new vaccine",
    "the final match", "her savings account", "the kitchen window", "an electric car", "the long contract",
    "a bowl of soup", "the software update", "three old books",
)  # fmt: skip
_WHEN: Final = (
    "on Monday morning", "without any help", "in less than 20 minutes", "after the storm", "last year",
    "again",
    "because it was late", "for 45 euros", "in front of everyone", "at the hospital", "with great care",
)  # fmt: skip
_VIEWS: Final = (
    "It was wonderful.", "That made everybody angry!", "Was it worth the money?", "I am not sure about it.",
    "The price had doubled since May.", "They would never do it again.",
)  # fmt: skip
LABELS: Final = (
    "sports", "politics", "late delivery", "praise", "complaint", "health", "money and banking", "cooking",
    "travel", "refund request", "technology", "education", "weather", "broken product", "music", "a question",
)  # fmt: skip


def make_passages(count: int, *, seed: int = 0) -> Iterator[tuple[str, str]]:
    """Yield a passage of one to many sentences, and a statement that it bears out, denies or leaves open."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        passage, fact = _passage(random)
        yield passage, _statement(random, fact)


def make_questions(count: int, *, seed: int = 1) -> Iterator[tuple[str, str]]:
    """Yield a question, and a passage that answers it; one in five does not."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        passage, fact = _passage(random)
        asked = _fact(random) if random.integers(0, 5) == 0 else fact
        yield _question(random, asked), passage


def _passage(random: np.random.Generator) -> tuple[str, tuple[str, str, str, str]]:
    """Return one to many sentences, and what one of them says."""
    facts = [_fact(random) for _ in range(int(random.integers(1, 12)))]
    sentences = [f"{who} {did} {what} {when}." for who, did, what, when in facts]
    sentences.insert(int(random.integers(0, len(sentences) + 1)), str(random.choice(_VIEWS)))
    return " ".join(sentences), facts[int(random.integers(0, len(facts)))]


def _fact(random: np.random.Generator) -> tuple[str, str, str, str]:
    who, did, what, when = (str(random.choice(words)) for words in (_WHO, _DID, _WHAT, _WHEN))
    return who, did, what, when


def _statement(random: np.random.Generator, fact: tuple[str, str, str, str]) -> str:
    who, did, what, _ = fact
    kind = random.integers(0, 4)
    if kind == 0:
        return f"{who} {did} {what}."
    if kind == 1:
        return f"It is not true that {who.lower()} {did} {what}."
    if kind == 2:
        return f"{random.choice(_WHO)} {random.choice(_DID)} {random.choice(_WHAT)}."
    return f"This example is about {random.choice(LABELS)}."


def _question(random: np.random.Generator, fact: tuple[str, str, str, str]) -> str:
    who, did, what, when = fact
    forms = (f"Who {did} {what}?", f"What is it that {who.lower()} {did} {when}?")
    return str(random.choice(forms))

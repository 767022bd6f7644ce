"""Unanswerable questions made by editing answerable ones: another name, another number, the opposite word.

People wrote many of SQuAD 2.0's unanswerable questions in these ways (Rajpurkar et al. 2018: negation,
antonym, entity swap): the context still speaks of the subject and still holds a span of the right kind.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence

from labelwise.errors import InputError
from labelwise.training.qa.examples import QaExample

__all__ = ["edited_negatives"]

# A capital after a full stop says nothing; "Anna" and "the Berlin Wall" inside a sentence are names.
_NAME = re.compile(r"(?<=[^.!?\s] )[A-Z][\w'-]*(?: [A-Z][\w'-]*)*")
_NUMBER = re.compile(r"\b\d[\d,.]*\d\b|\b\d\b")
_WORD = re.compile(r"\b\w+\b")
_PAIRS = """
first last, before after, most least, largest smallest, biggest smallest, more less, highest lowest,
higher lower, oldest youngest, older younger, increase decrease, increased decreased, increases
decreases, north south, northern southern, east west, eastern western, early late, earliest latest,
begin end, began ended, start end, started ended, won lost, win lose, above below, best worst,
better worse, good bad, male female, always never, inside outside, maximum minimum, positive
negative, strong weak, strongest weakest, buy sell, bought sold, join leave, joined left, opened
closed, rise fall, rose fell, same different, liked disliked, easy hard, allowed forbidden, support
oppose, supported opposed, father mother, son daughter, brother sister, king queen, winter summer,
cheap expensive, fast slow, long short, old new, large small, big small, high low, hot cold, many
few, common rare, public private, major minor
"""
_OPPOSITES = {
    word: other
    for pair in " ".join(_PAIRS.split()).split(", ")
    for word, other in (tuple(pair.split()), tuple(reversed(pair.split())))
}
_AUXILIARIES = (
    "is",
    "are",
    "was",
    "were",
    "did",
    "does",
    "do",
    "has",
    "have",
    "had",
    "could",
    "would",
    "should",
)
_NEGATIONS = {word: f"{word}n't" for word in _AUXILIARIES} | {"can": "can't", "will": "won't"}
# Negation fits nearly every question: a reader must not learn that it is the only sign.
_NEGATED_SHARE = 0.15


def edited_negatives(examples: Sequence[QaExample], *, share: float, seed: int) -> tuple[QaExample, ...]:
    """Return unanswerable examples for a share of the answered ones, in their order.

    A name or a number gives way to another one of the same context that no answer holds, a word to its
    opposite, a verb to its negation. A question that offers none of these gives none.

    Args:
        examples: answered and unanswerable ones.
        share: of the answered examples, from 0 to 1.
        seed: of all draws.

    Raises:
        InputError: the share is out of range.

    Example:
        >>> found = QaExample("q", "When did she leave?", "She left in 1999.", ((12, "1999"),))
        >>> edited_negatives([found], share=1, seed=1)[0].question
        'When did she join?'
    """
    if not 0 <= share <= 1:
        raise InputError(f"the share of edited negatives is {share}: use a number from 0 to 1")
    generator = random.Random(f"edited:{seed}")
    made = []
    for example in examples:
        if example.is_impossible or generator.random() >= share:
            continue
        edits = _edits(example, generator)
        if edits:
            question = generator.choice(generator.choice(edits))
            made.append(QaExample(f"{example.id}#edited", question, example.context, article=example.article))
    return tuple(made)


def _edits(example: QaExample, generator: random.Random) -> list[list[str]]:
    """Return the edited questions of each way of editing that fits."""
    ways = [
        _swapped(example, _NAME),
        _swapped(example, _NUMBER),
        _replaced(example.question, _OPPOSITES),
    ]
    if generator.random() < _NEGATED_SHARE:
        ways.append(_replaced(example.question, _NEGATIONS)[:1])
    return [questions for questions in ways if questions]


def _swapped(example: QaExample, kind: re.Pattern[str]) -> list[str]:
    """Return the question with what it shares with the context exchanged for others of the context."""
    question, context = example.question, example.context
    held = " ".join([question, *(text for _, text in example.answers)]).casefold()
    others = [thing for thing in dict.fromkeys(kind.findall(context)) if thing.casefold() not in held]
    return [
        question[: place.start()] + other + question[place.end() :]
        for place in kind.finditer(question)
        if place.group() in context
        for other in others
    ]


def _replaced(question: str, words: Mapping[str, str]) -> list[str]:
    return [
        question[: place.start()] + words[place.group()] + question[place.end() :]
        for place in _WORD.finditer(question)
        if place.group() in words
    ]

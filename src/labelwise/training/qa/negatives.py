"""Unanswerable examples: an answered question beside another paragraph of the same article."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence

from labelwise.errors import InputError
from labelwise.training.qa.examples import QaExample

__all__ = ["paired_negatives"]

# Of so many paragraphs drawn, the one that shares the most words with the question is taken: a paragraph
# about something else altogether would teach nothing.
_DRAWN_PARAGRAPHS = 10


def paired_negatives(examples: Sequence[QaExample], *, share: float, seed: int) -> tuple[QaExample, ...]:
    """Return unanswerable examples for a share of the answered ones, in their order.

    A paragraph that holds the text of one of the question's answers, in any case, is never taken; a question
    whose article has no other paragraph gives none.

    Args:
        examples: answered and unanswerable ones, with their articles.
        share: of the answered examples, from 0 to 1.
        seed: of all draws.

    Raises:
        InputError: the share is out of range.
    """
    if not 0 <= share <= 1:
        raise InputError(f"the share of negatives is {share}: use a number from 0 to 1")
    paragraphs: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for example in examples:
        paragraphs[example.article].setdefault(example.context)
    contexts = {article: tuple(texts) for article, texts in paragraphs.items() if article}
    generator = random.Random(f"negatives:{seed}")
    made = []
    for example in examples:
        if example.is_impossible or generator.random() >= share:
            continue
        context = _other_paragraph(example, contexts.get(example.article, ()), generator)
        if context is not None:
            made.append(QaExample(f"{example.id}#other", example.question, context, article=example.article))
    return tuple(made)


def _other_paragraph(example: QaExample, paragraphs: Sequence[str], generator: random.Random) -> str | None:
    answers = [" ".join(text.casefold().split()) for _, text in example.answers]
    words = set(example.question.casefold().split())
    drawn = generator.sample(paragraphs, min(_DRAWN_PARAGRAPHS, len(paragraphs)))
    usable = [context for context in drawn if context != example.context and not _holds_any(context, answers)]
    return max(usable, key=lambda context: len(words.intersection(context.casefold().split())), default=None)


def _holds_any(context: str, answers: Sequence[str]) -> bool:
    text = " ".join(context.casefold().split())
    return any(answer in text for answer in answers)

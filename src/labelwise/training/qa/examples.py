"""Questions with the places of their answers, read from files with every unusable row named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from labelwise.errors import DataError
from labelwise.evaluation.squad_file import SquadQuestion
from labelwise.training.qa.raw import RawQuestion, passage_questions, squad_questions
from labelwise.training.records import BadRow

__all__ = ["FoundExamples", "QaExample", "check_questions", "joined", "read_qa_files"]

# An answer that is not at its offset is looked for that many characters to both sides: wrong counts of
# line ends or of characters beyond the 16-bit plane shift offsets by little.
_NEARBY_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class QaExample:
    """A question, the context that it is asked about, and where the context answers it.

    Attributes:
        id: its own among all examples that were read together.
        question: what is asked.
        context: where the answer is looked for.
        answers: start character and text of each answer that counts as right; none means that the context
            does not answer the question.
        article: what the context is a paragraph of; negatives pair questions with its other paragraphs.
    """

    id: str
    question: str
    context: str
    answers: tuple[tuple[int, str], ...] = ()
    article: str = ""

    def __post_init__(self) -> None:
        if not self.question.strip() or not self.context.strip():
            raise DataError("the question or the context is blank: fill it or drop the row")
        for start, text in self.answers:
            if not text.strip() or self.context[start : start + len(text)] != text:
                raise DataError(f"the answer {text!r} is not at character {start} of the context")

    @property
    def is_impossible(self) -> bool:
        """True when the context does not answer the question."""
        return not self.answers

    def to_question(self) -> SquadQuestion:
        """Return what the official measure needs of it."""
        return SquadQuestion(self.id, self.question, self.context, tuple(text for _, text in self.answers))


@dataclass(frozen=True, slots=True)
class FoundExamples:
    """The usable examples in order, the rows that were left out, and how many answers were moved."""

    examples: tuple[QaExample, ...]
    left_out: tuple[BadRow, ...] = ()
    num_repaired: int = 0


def read_qa_files(paths: Sequence[Path]) -> FoundExamples:
    """Read SQuAD 1.1 and 2.0 files (``.json[.gz]``) and passages with questions (``.jsonl[.gz]``), in order.

    A passage row has ``text``, ``qa`` (each a ``question`` and an ``answer``, a part of the text) and
    ``unanswerable`` questions. An answer that is not at its place is moved to where it occurs once nearby;
    a row whose answers all fail that is left out. Where an id comes again, the later question gets its own.

    Raises:
        DataError: a file cannot be read or has another layout, or no row is usable.
    """
    parts = []
    for path in paths:
        is_passages = path.name.endswith((".jsonl", ".jsonl.gz"))
        raw = passage_questions(path) if is_passages else squad_questions(path)
        parts.append(check_questions(raw, file=path.name))
    found = joined(parts)
    if not found.examples:
        first = f" (first: {found.left_out[0]})" if found.left_out else ""
        raise DataError(f"no usable question in {', '.join(map(str, paths))}{first}")
    return found


def check_questions(raw: Iterable[RawQuestion | BadRow], *, file: str) -> FoundExamples:
    """Make examples of raw questions; those that cannot be used become bad rows of ``file``."""
    examples: list[QaExample] = []
    left_out: list[BadRow] = []
    num_repaired = 0
    for row in raw:
        if isinstance(row, BadRow):
            left_out.append(row)
            continue
        try:
            example, moved = _example(row)
        except DataError as error:
            left_out.append(BadRow(file, row.number, str(error)))
            continue
        examples.append(example)
        num_repaired += moved
    return FoundExamples(tuple(examples), tuple(left_out), num_repaired)


def joined(parts: Iterable[FoundExamples]) -> FoundExamples:
    """Put what several sources gave end to end; an id that comes again is replaced by a fresh one."""
    parts = tuple(parts)
    return FoundExamples(
        tuple(_with_own_ids([example for part in parts for example in part.examples])),
        tuple(row for part in parts for row in part.left_out),
        sum(part.num_repaired for part in parts),
    )


def _example(raw: RawQuestion) -> tuple[QaExample, int]:
    if isinstance(raw.id, bool) or not isinstance(raw.id, str | int):
        raise DataError(f"id is {raw.id!r}: give a string")
    for name in ("question", "context"):
        if not isinstance(getattr(raw, name), str):
            raise DataError(f"{name} of {raw.id!r} is {getattr(raw, name)!r}: give a string")
    if not isinstance(raw.answers, list):
        raise DataError(f"answers of {raw.id!r} is {raw.answers!r}: give a list")
    placed = [_placed(raw.context, answer) for answer in raw.answers]
    answers = [(start, text) for start, text, _ in filter(None, placed)]
    if placed and not answers:
        raise DataError(
            f"the answer of {raw.id!r}, {_shown(raw.answers[0])}, is not at its place in the context, nor is "
            "it there once nearby"
        )
    example = QaExample(
        str(raw.id), raw.question, raw.context, tuple(dict.fromkeys(answers)), article=raw.article
    )
    return example, sum(was_moved for _, _, was_moved in filter(None, placed))


def _placed(context: str, answer: Any) -> tuple[int, str, bool] | None:
    """Return where an answer starts, its text without white space around, and whether it was moved."""
    fields = answer if isinstance(answer, Mapping) else {}
    text, start = fields.get("text"), fields.get("answer_start")
    if not isinstance(text, str) or not text.strip():
        return None
    bare = text.strip()
    if start is None:
        at = context.find(bare)
        return None if at < 0 else (at, bare, False)
    if not isinstance(start, int):
        return None
    start += len(text) - len(text.lstrip())
    if start >= 0 and context.startswith(bare, start):
        return start, bare, False
    first = max(0, start - _NEARBY_CHARACTERS)
    nearby = context[first : max(0, start + len(bare) + _NEARBY_CHARACTERS)]
    at = nearby.find(bare)
    # Searched from the next character on, not counted: count() passes over places that overlap.
    is_alone = at >= 0 and nearby.find(bare, at + 1) < 0
    return (first + at, bare, True) if is_alone else None


def _shown(answer: Any) -> str:
    return repr(answer.get("text")) if isinstance(answer, Mapping) else repr(answer)


def _with_own_ids(examples: Sequence[QaExample]) -> Iterator[QaExample]:
    taken = {example.id for example in examples}
    seen: set[str] = set()
    for example in examples:
        if example.id not in seen:
            seen.add(example.id)
            yield example
            continue
        copy = 2
        while (fresh := f"{example.id}#{copy}") in taken:
            copy += 1
        taken.add(fresh)
        yield replace(example, id=fresh)

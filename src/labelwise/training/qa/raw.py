"""Questions as files have them, not checked yet: SQuAD documents and passages with questions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labelwise.errors import DataError
from labelwise.evaluation.squad_file import read_squad_document
from labelwise.files import read_rows
from labelwise.training.records import BadRow

__all__ = ["RawQuestion", "passage_questions", "squad_questions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawQuestion:
    """One question, with whatever the file says in each place.

    Attributes:
        number: which question of its file, or which row, from 1.
        id: a text or a number, if all is well.
        question: a text, if all is well.
        context: a text, if all is well.
        answers: a list of mappings with ``text`` and ``answer_start``, if all is well; the latter may be
            left out.
        article: what the context belongs to.
    """

    number: int
    id: Any
    question: Any
    context: Any
    answers: Any
    article: str


def squad_questions(path: Path) -> Iterator[RawQuestion]:
    """Yield the questions of a SQuAD 1.1 or 2.0 file, in order; what is marked impossible has no answers.

    Raises:
        DataError: the file cannot be read, or is not in the SQuAD layout.
    """
    number = 0
    for place, article in enumerate(_list(read_squad_document(path), "data", path)):
        for paragraph in _list(article, "paragraphs", path):
            for qa in _list(paragraph, "qas", path):
                number += 1
                fields: Mapping[str, Any] = qa if isinstance(qa, Mapping) else {}
                yield RawQuestion(
                    number=number,
                    id=fields.get("id"),
                    question=fields.get("question"),
                    context=paragraph.get("context"),
                    answers=[] if fields.get("is_impossible") else fields.get("answers"),
                    article=f"{path.name}#{place}",
                )


def passage_questions(path: Path) -> Iterator[RawQuestion | BadRow]:
    """Yield the ``qa`` and ``unanswerable`` questions of each row's ``text``, and the rows that are broken.

    Raises:
        DataError: the file cannot be read.
    """
    bad_rows: list[BadRow] = []
    rows = read_rows(
        path,
        text_columns=["text"],
        on_bad_row="skip",
        on_bad=lambda row: bad_rows.append(BadRow(path.name, row.number, row.reason)),
    )
    for row in rows:
        asked = [row.values.get(key) or [] for key in ("qa", "unanswerable")]
        if not all(isinstance(part, list) for part in asked):
            bad_rows.append(BadRow(path.name, row.number, "'qa' or 'unanswerable' is not a list"))
            continue
        answered, unanswerable = asked
        for place, qa in enumerate([*answered, *unanswerable]):
            fields = qa if isinstance(qa, Mapping) else {}
            has_answer = place < len(answered)
            yield RawQuestion(
                number=row.number,
                id=f"{path.name}#{row.number}.{place + 1}",
                question=fields.get("question") if has_answer else qa,
                context=row.values["text"],
                answers=[{"text": fields.get("answer")}] if has_answer else [],
                article=f"{path.name}#{row.number}",
            )
    yield from bad_rows


def _list(value: Any, name: str, path: Path) -> list[Any]:
    found = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(found, list):
        raise DataError(f"{path} has no list {name!r} where the SQuAD layout has one: convert it")
    return found

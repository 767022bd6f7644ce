"""Accuracy on labelled data: what agreement of logits stands for in the end."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labelwise.checkpoints.heads import MultitaskHead, NliHead
from labelwise.errors import DataError, TaskNotSupportedError
from labelwise.model import Model

__all__ = ["LabelledRows", "read_labelled"]

_PAIR = frozenset({"premise", "hypothesis", "label"})
_LABEL = frozenset({"text", "label"})
_QUESTION = frozenset({"question", "context", "answer"})


_Rows = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class LabelledRows:
    """Rows of one kind, all with the same keys that matter."""

    rows: _Rows
    measure: Callable[[Model, _Rows], float]

    def accuracy(self, model: Model) -> float:
        """Return the share of rows that a model gets right."""
        return self.measure(model, self.rows)


def read_labelled(file: Path, model: Model) -> LabelledRows:
    """Read JSONL (also .gz) of premise, hypothesis, label; of text, label; or of question, context, answer.

    The labels of text, label rows, all of them together, are the candidates; an empty ``answer`` means
    that there is none.

    Raises:
        DataError: the file cannot be read, or its rows are none of these.
        TaskNotSupportedError: the model cannot do what the rows ask.
    """
    rows = tuple(_read(file))
    if not rows:
        raise DataError(f"{file} has no rows")
    for keys, task, measure in (
        (_PAIR, "entail", _entailed),
        (_LABEL, "classify", _classified),
        (_QUESTION, "answer", _answered),
    ):
        if all(keys <= row.keys() for row in rows):
            if task not in model.tasks:
                raise TaskNotSupportedError(
                    f"{file} asks to {task}, and {model.checkpoint.ref!r} can "
                    f"{', '.join(sorted(model.tasks))}"
                )
            return LabelledRows(rows, measure)
    raise DataError(
        f"{file}: rows must all hold premise, hypothesis, label; or text, label; or question, context, answer"
    )


def _read(file: Path) -> list[dict[str, Any]]:
    try:
        content = file.read_bytes()
        text = (gzip.decompress(content) if file.suffix == ".gz" else content).decode("utf-8")
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise DataError(f"{file} is not JSONL: {error}") from error
    if not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{file}: every line must be a JSON object")
    return rows


def _entailed(model: Model, rows: _Rows) -> float:
    head = model.checkpoint.head
    roles = head.entail if isinstance(head, MultitaskHead) else head
    has_neutral = isinstance(roles, NliHead) and roles.neutral is not None
    found = model.entail(pairs=[(str(row["premise"]), str(row["hypothesis"])) for row in rows])
    pairs = zip(found, rows, strict=True)
    if has_neutral and {row["label"] for row in rows} - {"entailment", "not_entailment"}:
        return _share(entailment.label == row["label"] for entailment, row in pairs)
    return _share(
        (entailment.label == "entailment") == (row["label"] == "entailment") for entailment, row in pairs
    )


def _classified(model: Model, rows: _Rows) -> float:
    labels = sorted({str(row["label"]) for row in rows})
    found = model.classify([str(row["text"]) for row in rows], labels=labels)
    return _share(
        entry.best is not None and entry.best.label == str(row["label"])
        for entry, row in zip(found, rows, strict=True)
    )


def _answered(model: Model, rows: _Rows) -> float:
    found = model.answer(pairs=[(str(row["question"]), str(row["context"])) for row in rows])
    return _share(
        answer.text.strip() == str(row["answer"]).strip() for answer, row in zip(found, rows, strict=True)
    )


def _share(hits: Iterable[bool]) -> float:
    listed = list(hits)
    return sum(listed) / len(listed)

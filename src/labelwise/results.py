"""What the verbs return: frozen values that know how to become plain dictionaries."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Answer", "Classification", "Entailment", "LabelScore", "RankedCandidate"]


def _check_score(name: str, score: float) -> None:
    if not math.isfinite(score):
        raise ValueError(f"{name} must be finite, got {score!r}")


@dataclass(frozen=True, slots=True)
class LabelScore:
    """One label and how well it fits, from 0 to 1.

    ``path`` holds the names from root to leaf when the labels were nested, and is empty otherwise.
    """

    label: str
    score: float
    path: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_score(f"the score of label {self.label!r}", self.score)

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"label", "score"}``, and ``"path"`` for a nested label."""
        plain: dict[str, Any] = {"label": self.label, "score": self.score}
        if self.path:
            plain["path"] = list(self.path)
        return plain


@dataclass(frozen=True, slots=True)
class Classification:
    """The labels of one text, best first.

    Attributes:
        text: the text as it was given.
        labels: every label that was scored (the first ``top_k`` when that was asked for), best first.
        best: the first accepted label; None when nothing reaches its threshold.
        accepted: the labels that reach their thresholds, best first.
        num_tokens: tokens of the whole text, control tokens not counted.
        windows_read: how many overlapping windows were read; 1 for a text that fits.
        was_truncated: True when ``truncation="truncate"`` left a part of the text unread.
    """

    text: str
    labels: tuple[LabelScore, ...]
    best: LabelScore | None
    accepted: tuple[LabelScore, ...]
    num_tokens: int
    windows_read: int
    was_truncated: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain lists, numbers and strings, ready for JSON."""
        return {
            "text": self.text,
            "labels": [label.to_dict() for label in self.labels],
            "best": self.best.label if self.best else None,
            "accepted": [label.label for label in self.accepted],
            "num_tokens": self.num_tokens,
            "windows_read": self.windows_read,
            "was_truncated": self.was_truncated,
        }


@dataclass(frozen=True, slots=True)
class Entailment:
    """Whether a premise supports a hypothesis: probabilities that sum to 1.

    Three-class checkpoints fill ``neutral`` and ``contradiction``; two-class ones fill ``not_entailment``.
    """

    label: str
    entailment: float
    neutral: float | None = None
    contradiction: float | None = None
    not_entailment: float | None = None
    windows_read: int = 1

    def __post_init__(self) -> None:
        for name, score in self.scores().items():
            _check_score(name, score)

    def scores(self) -> dict[str, float]:
        """Return the probability of each class that the checkpoint has, by name."""
        named = {
            "entailment": self.entailment,
            "neutral": self.neutral,
            "contradiction": self.contradiction,
            "not_entailment": self.not_entailment,
        }
        return {name: score for name, score in named.items() if score is not None}

    def to_dict(self) -> dict[str, Any]:
        """Return the label, one probability per class, and the number of windows read."""
        return {"label": self.label, **self.scores(), "windows_read": self.windows_read}


@dataclass(frozen=True, slots=True)
class RankedCandidate:
    """One candidate of a ranking; ``index`` is its place in the list that was given."""

    index: int
    text: str
    score: float
    windows_read: int = 1

    def __post_init__(self) -> None:
        _check_score(f"the score of candidate {self.index}", self.score)

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"index", "text", "score", "windows_read"}``."""
        return {
            "index": self.index,
            "text": self.text,
            "score": self.score,
            "windows_read": self.windows_read,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """A span of the context, or no answer (``text == ""``, ``start == end == 0``).

    Attributes:
        text: always ``context[start:end]``.
        start: first character in the context; ``end`` is exclusive.
        score: probability of this answer among the answers considered, "no answer" included.
        null_score: probability that the context holds no answer.
        windows_read: how many overlapping windows of the context were read.
    """

    text: str
    start: int
    end: int
    score: float
    null_score: float
    windows_read: int = field(default=1)

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end or self.end - self.start != len(self.text):
            raise ValueError(f"span [{self.start}, {self.end}) does not fit {self.text!r}")
        _check_score("score", self.score)
        _check_score("null_score", self.null_score)

    @property
    def is_answer(self) -> bool:
        """True when a span was found."""
        return self.text != ""

    def to_dict(self) -> dict[str, Any]:
        """Return the span, its scores and the number of windows read."""
        return {
            "text": self.text,
            "start": self.start,
            "end": self.end,
            "score": self.score,
            "null_score": self.null_score,
            "windows_read": self.windows_read,
        }

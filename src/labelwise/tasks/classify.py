"""Classify: which of these labels fit a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from labelwise.checkpoints.heads import NliHead
from labelwise.decision import DecisionRule, decide, label_scores
from labelwise.labels import LabelSet
from labelwise.results import Classification
from labelwise.scores import ScoreMode, check_score_mode, entailment_evidence, entailment_margin
from labelwise.tasks.pairs import OnProgress, PairRow, PairScorer
from labelwise.template import HypothesisTemplate
from labelwise.text.tokenizer import EncodedText
from labelwise.windows import Reading, Truncation, plan_reading

__all__ = ["LabelEvidence", "LabelScorer", "NliLabelScorer", "classify"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LabelEvidence:
    """What the windows of one text say about its labels, before they are combined.

    Attributes:
        evidence: shape (windows, nodes): compared between labels.
        margins: shape (windows, nodes): log-odds of each label by itself.
        num_tokens: tokens of the text.
        was_truncated: True when a part of the text was left out.
    """

    evidence: Floats
    margins: Floats
    num_tokens: int
    was_truncated: bool


class LabelScorer(Protocol):
    """Scores the labels of texts; one implementation per kind of model."""

    def score(
        self,
        texts: Sequence[str],
        label_sets: Sequence[LabelSet],
        *,
        truncation: Truncation,
        on_progress: OnProgress | None,
    ) -> list[LabelEvidence]:
        """Return the evidence for each text's label set, in order."""
        ...


def classify(
    texts: Sequence[str],
    label_sets: Sequence[LabelSet],
    scorer: LabelScorer,
    rule: DecisionRule,
    *,
    truncation: Truncation = "window",
    on_progress: OnProgress | None = None,
) -> list[Classification]:
    """Classify each text by its own label set, in order.

    Windows are combined before anything is decided: competing labels by their mean (what the text is
    about as a whole), labels by themselves by their maximum (what holds anywhere in it).
    """
    if not texts:
        return []
    rule.check_labels(label_sets)
    found = scorer.score(texts, label_sets, truncation=truncation, on_progress=on_progress)
    results = []
    for text, label_set, labels in zip(texts, label_sets, found, strict=True):
        scores = label_scores(label_set, labels.evidence.mean(axis=0), labels.margins.max(axis=0), rule)
        decision = decide(scores, rule)
        results.append(
            Classification(
                text=text,
                labels=decision.labels,
                best=decision.best,
                accepted=decision.accepted,
                num_tokens=labels.num_tokens,
                windows_read=len(labels.evidence),
                was_truncated=labels.was_truncated,
            )
        )
    return results


@dataclass(frozen=True, slots=True)
class NliLabelScorer:
    """Scores labels with an entailment model: the text is the premise, each label a hypothesis.

    Attributes:
        pairs: runs the pairs.
        head: which logit means what.
        template: turns a label into a hypothesis.
        score_mode: what is compared between labels.
        temperature: divides the logits; 1 leaves them as they are.
    """

    pairs: PairScorer
    head: NliHead
    template: HypothesisTemplate
    score_mode: ScoreMode = "entail_logit"
    temperature: float = 1.0

    def __post_init__(self) -> None:
        check_score_mode(self.score_mode)

    def score(
        self,
        texts: Sequence[str],
        label_sets: Sequence[LabelSet],
        *,
        truncation: Truncation,
        on_progress: OnProgress | None,
    ) -> list[LabelEvidence]:
        """Return the evidence for each text's label set, in order.

        Each text and each distinct hypothesis is tokenised once, whatever the number of pairs.
        """
        hypotheses = {
            label_set: [node.hypothesis(self.template) for node in label_set.nodes]
            for label_set in dict.fromkeys(label_sets)
        }
        distinct = list(dict.fromkeys(text for listed in hypotheses.values() for text in listed))
        place_of = {text: place for place, text in enumerate(distinct)}
        encoded = self.pairs.tokenizer.encode_many(distinct)
        premises = self.pairs.tokenizer.encode_many(texts)
        columns = {label_set: [place_of[text] for text in listed] for label_set, listed in hypotheses.items()}
        rooms = {label_set: self._room(label_set, columns[label_set], encoded) for label_set in columns}
        readings = [
            plan_reading(len(premise), room=rooms[label_set], truncation=truncation, name=f"text {number}")
            for number, (premise, label_set) in enumerate(zip(premises, label_sets, strict=True), start=1)
        ]
        rows = [
            PairRow(place, window, column)
            for place, (reading, label_set) in enumerate(zip(readings, label_sets, strict=True))
            for window in reading.windows
            for column in columns[label_set]
        ]
        logits = self.pairs.logits(premises, encoded, rows, on_progress=on_progress)
        return self._by_text(logits, premises, readings, label_sets)

    def _room(self, label_set: LabelSet, columns: Sequence[int], encoded: Sequence[EncodedText]) -> int:
        longest, node = max(
            ((len(encoded[column]), node) for column, node in zip(columns, label_set.nodes, strict=True)),
            key=lambda item: item[0],
        )
        return self.pairs.room(longest, name=f"label {_shortened(node.name)!r}")

    def _by_text(
        self,
        logits: NDArray[np.float32],
        premises: Sequence[EncodedText],
        readings: Sequence[Reading],
        label_sets: Sequence[LabelSet],
    ) -> list[LabelEvidence]:
        scaled = logits / np.float32(self.temperature)
        entailment = self.head.entailment
        evidence = entailment_evidence(scaled, entailment=entailment, score_mode=self.score_mode)
        margins = entailment_margin(
            scaled, entailment=entailment, against=self.head.against, score_mode=self.score_mode
        )
        found = []
        first = 0
        for premise, reading, label_set in zip(premises, readings, label_sets, strict=True):
            shape = (len(reading.windows), len(label_set.nodes))
            rows = slice(first, first + shape[0] * shape[1])
            found.append(
                LabelEvidence(
                    evidence[rows].reshape(shape),
                    margins[rows].reshape(shape),
                    len(premise),
                    reading.was_truncated,
                )
            )
            first = rows.stop
        return found


def _shortened(name: str) -> str:
    return name if len(name) <= 40 else name[:37] + "..."

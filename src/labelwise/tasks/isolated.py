"""Score labels with the multi-task model: text and labels in one row, no label aware of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelwise.backends.base import Backend
from labelwise.labels import LabelSet
from labelwise.tasks.classify import LabelEvidence
from labelwise.tasks.label_rows import EncodedLabels, LabelPlan, encode_labels, label_text, score_label_rows
from labelwise.tasks.pairs import MIN_ROOM, OnProgress
from labelwise.template import HypothesisTemplate
from labelwise.text.isolated_labels import IsolatedLabelsLayout
from labelwise.text.joint import split_labels
from labelwise.text.tokenizer import TextTokenizer
from labelwise.windows import Truncation, plan_reading

__all__ = ["IsolatedLabelScorer"]

# Label tokens in one row. More labels are spread over several rows, which changes no score; much longer rows
# cost more in attention than reading the text again does.
_ROW_LABEL_TOKENS = 256


@dataclass(frozen=True, slots=True)
class IsolatedLabelScorer:
    """Scores labels with a multi-task model: one logit per label.

    A label sees the text and itself alone, so its score depends neither on the other labels nor on their
    order, and a thousand labels give the same scores as one at a time.

    Attributes:
        tokenizer: encodes each text and label alone, so that none makes control tokens.
        layout: joins them into a row.
        backend: the model's label head.
        batch_tokens: the most tokens in one padded batch.
        template: turns a label into what is read; None reads the label as it stands.
        temperature: divides the logits; 1 leaves them as they are.
    """

    tokenizer: TextTokenizer
    layout: IsolatedLabelsLayout
    backend: Backend
    batch_tokens: int
    template: HypothesisTemplate | None = None
    temperature: float = 1.0

    def score(
        self,
        texts: Sequence[str],
        label_sets: Sequence[LabelSet],
        *,
        truncation: Truncation,
        on_progress: OnProgress | None,
    ) -> list[LabelEvidence]:
        """Return the evidence for each text's label set, in order.

        Raises:
            TextTooLongError: a label leaves no room for a text, or a text does not fit and ``truncation``
                is "error".
        """
        sets = {label_set: self._encode(label_set) for label_set in dict.fromkeys(label_sets)}
        labels = [sets[label_set] for label_set in label_sets]
        groups = {label_set: _groups(own) for label_set, own in sets.items()}
        encoded = self.tokenizer.encode_many(texts)
        room = self.layout.max_tokens - self.layout.num_fixed_tokens
        readings = [
            plan_reading(
                len(text), room=room - int(own.costs.max()), truncation=truncation, name=f"text {number}"
            )
            for number, (text, own) in enumerate(zip(encoded, labels, strict=True), start=1)
        ]
        plans = [
            LabelPlan(reading, groups[label_set])
            for reading, label_set in zip(readings, label_sets, strict=True)
        ]
        return score_label_rows(
            plans,
            encoded,
            labels,
            layout=self.layout,
            backend=self.backend,
            batch_tokens=self.batch_tokens,
            divisor=self.temperature,
            on_progress=on_progress,
        )

    def _encode(self, label_set: LabelSet) -> EncodedLabels:
        texts = [label_text(node, self.template) for node in label_set.nodes]
        room = self.layout.max_tokens - self.layout.num_fixed_tokens - MIN_ROOM
        return encode_labels(label_set, texts, self.tokenizer, room=room, max_tokens=self.layout.max_tokens)


def _groups(labels: EncodedLabels) -> list[NDArray[np.int64]]:
    """Return the places of the labels that share a row."""
    runs = split_labels(labels.costs.tolist(), max_labels=len(labels.ids), budget=_ROW_LABEL_TOKENS)
    return [np.arange(run.start, run.stop) for run in runs]

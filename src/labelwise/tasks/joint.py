"""Score labels with a model that reads a text and all its labels in one row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelwise.backends.base import Backend
from labelwise.errors import InputError
from labelwise.labels import LabelSet
from labelwise.tasks.classify import LabelEvidence
from labelwise.tasks.label_rows import EncodedLabels, LabelPlan, encode_labels, label_text, score_label_rows
from labelwise.tasks.pairs import OnProgress
from labelwise.template import HypothesisTemplate
from labelwise.text.joint import JointLayout, split_labels
from labelwise.text.tokenizer import EncodedText, TextTokenizer
from labelwise.windows import Truncation, plan_reading

__all__ = ["JointLabelScorer", "check_label_orders"]

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class JointLabelScorer:
    """Scores labels with a GliZNet or GLiClass model: one logit per label.

    A label set that does not fit one row is read in several, and the logits are joined, so no label is
    dropped or cut and competing labels share one softmax over the whole set. Labels take at most half of a
    row from a text that needs it; the text is read in windows beside them.

    Attributes:
        tokenizer: encodes each text and label alone, so that none makes control tokens.
        layout: joins them into a row.
        backend: the model.
        batch_tokens: the most tokens in one padded batch.
        template: turns a label into what is read; None reads the label as it stands.
        temperature: divides the logits; 1 leaves them as they are.
        label_orders: in how many orders the labels are read; their logits are averaged. 1 is the order
            given. More are fixed shuffles of the sorted labels, so that the order given plays no part.
    """

    tokenizer: TextTokenizer
    layout: JointLayout
    backend: Backend
    batch_tokens: int
    template: HypothesisTemplate | None = None
    temperature: float = 1.0
    label_orders: int = 1

    def __post_init__(self) -> None:
        check_label_orders(self.label_orders)

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
        encoded = self.tokenizer.encode_many(texts)
        return score_label_rows(
            self._plans(encoded, label_sets, sets, truncation),
            encoded,
            labels,
            layout=self.layout,
            backend=self.backend,
            batch_tokens=self.batch_tokens,
            divisor=self.label_orders * self.temperature,
            on_progress=on_progress,
        )

    def _texts(self, label_set: LabelSet) -> list[str]:
        return [label_text(node, self.template) for node in label_set.nodes]

    def _encode(self, label_set: LabelSet) -> EncodedLabels:
        room = self.layout.max_tokens - self.layout.num_fixed_tokens - self.layout.min_text_tokens
        return encode_labels(
            label_set,
            self._texts(label_set),
            self.tokenizer,
            room=room,
            max_tokens=self.layout.max_tokens,
        )

    def _plans(
        self,
        encoded: Sequence[EncodedText],
        label_sets: Sequence[LabelSet],
        sets: dict[LabelSet, EncodedLabels],
        truncation: Truncation,
    ) -> list[LabelPlan]:
        room = self.layout.max_tokens - self.layout.num_fixed_tokens
        groups_of: dict[tuple[LabelSet, int], list[Places]] = {}
        plans = []
        for number, (text, label_set) in enumerate(zip(encoded, label_sets, strict=True), start=1):
            budget = room - min(len(text), room // 2)
            key = (label_set, budget)
            costs = sets[label_set].costs
            if key not in groups_of:
                groups_of[key] = self._groups(self._texts(label_set), costs, budget)
            most = max(int(costs[places].sum()) for places in groups_of[key])
            reading = plan_reading(len(text), room=room - most, truncation=truncation, name=f"text {number}")
            plans.append(LabelPlan(reading, groups_of[key]))
        return plans

    def _groups(self, texts: Sequence[str], costs: NDArray[np.int64], budget: int) -> list[Places]:
        return [
            order[run.start : run.stop]
            for order in _orders(texts, self.label_orders)
            for run in split_labels(costs[order].tolist(), max_labels=self.layout.max_labels, budget=budget)
        ]


def check_label_orders(label_orders: int) -> None:
    """Refuse a number of label orders that is not a whole number from 1 on."""
    if not isinstance(label_orders, int) or isinstance(label_orders, bool) or label_orders < 1:
        raise InputError(f"label_orders must be a whole number of at least 1, got {label_orders!r}")


def _orders(label_texts: Sequence[str], num_orders: int) -> list[Places]:
    """Return the orders in which labels are read, each a permutation of their places."""
    if num_orders == 1:
        return [np.arange(len(label_texts), dtype=np.int64)]
    ordered = np.array(sorted(range(len(label_texts)), key=label_texts.__getitem__), dtype=np.int64)
    return [np.random.default_rng(seed).permutation(ordered) for seed in range(num_orders)]

"""Score labels with the multi-task model: text and labels in one row, no label aware of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelwise.backends.base import Backend
from labelwise.batching import plan_batches
from labelwise.errors import TextTooLongError
from labelwise.labels import LabelNode, LabelSet
from labelwise.scores import check_finite
from labelwise.tasks.classify import LabelEvidence
from labelwise.tasks.pairs import MIN_ROOM, OnProgress
from labelwise.template import HypothesisTemplate
from labelwise.text.isolated_labels import IsolatedLabelsLayout
from labelwise.text.joint import split_labels
from labelwise.text.tokenizer import EncodedText, TextTokenizer
from labelwise.windows import Reading, Truncation, Window, plan_reading

__all__ = ["IsolatedLabelScorer"]

Ids = NDArray[np.int64]
# Label tokens in one row. More labels are spread over several rows, which changes no score; much longer rows
# cost more in attention than reading the text again does.
_ROW_LABEL_TOKENS = 256
_MAX_SHOWN_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class _Labels:
    """The labels of one set: their ids, and the runs of them that share a row."""

    ids: Sequence[Ids]
    costs: NDArray[np.int64]
    runs: Sequence[range]


@dataclass(frozen=True, slots=True)
class _Row:
    """A window of a text with a run of its labels."""

    text: int
    window_number: int
    window: Window
    run: range


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
        encoded_labels = {label_set: self._encode(label_set) for label_set in dict.fromkeys(label_sets)}
        labels = [encoded_labels[label_set] for label_set in label_sets]
        encoded = self.tokenizer.encode_many(texts)
        readings = [
            plan_reading(
                len(text),
                room=self.layout.max_tokens - self.layout.num_fixed_tokens - int(own.costs.max()),
                truncation=truncation,
                name=f"text {number}",
            )
            for number, (text, own) in enumerate(zip(encoded, labels, strict=True), start=1)
        ]
        logits = self._logits(encoded, labels, readings, on_progress)
        return [
            LabelEvidence(own / self.temperature, own / self.temperature, len(text), reading.was_truncated)
            for own, text, reading in zip(logits, encoded, readings, strict=True)
        ]

    def _encode(self, label_set: LabelSet) -> _Labels:
        texts = [self._text_of(node) for node in label_set.nodes]
        ids = [encoded.ids for encoded in self.tokenizer.encode_many(texts)]
        costs = np.array([len(label) + 1 for label in ids], dtype=np.int64)
        longest = int(costs.argmax())
        if costs[longest] > self.layout.max_tokens - self.layout.num_fixed_tokens - MIN_ROOM:
            name = label_set.nodes[longest].name
            shown = name if len(name) <= _MAX_SHOWN_CHARACTERS else name[: _MAX_SHOWN_CHARACTERS - 3] + "..."
            raise TextTooLongError(
                f"label {shown!r} has {costs[longest] - 1} tokens, which leaves no room for the text in a "
                f"window of {self.layout.max_tokens} tokens; shorten it"
            )
        runs = split_labels(costs.tolist(), max_labels=len(ids), budget=_ROW_LABEL_TOKENS)
        return _Labels(ids, costs, runs)

    def _text_of(self, node: LabelNode) -> str:
        if self.template is not None:
            return node.hypothesis(self.template)
        return node.path[-1] if node.description is None else node.description

    def _logits(
        self,
        texts: Sequence[EncodedText],
        labels: Sequence[_Labels],
        readings: Sequence[Reading],
        on_progress: OnProgress | None,
    ) -> list[NDArray[np.float64]]:
        """Run every window beside every run of labels, batched by length over the whole call."""
        rows = [
            _Row(text, number, window, run)
            for text, reading in enumerate(readings)
            for number, window in enumerate(reading.windows)
            for run in labels[text].runs
        ]
        found = [
            np.empty((len(reading.windows), len(own.ids)))
            for reading, own in zip(readings, labels, strict=True)
        ]
        fixed = self.layout.num_fixed_tokens
        lengths = [
            fixed + len(row.window) + int(labels[row.text].costs[row.run.start : row.run.stop].sum())
            for row in rows
        ]
        num_done = 0
        for batch in plan_batches(lengths, max_tokens=self.batch_tokens):
            chosen = [rows[place] for place in batch]
            (logits,) = self.backend.run(
                [
                    self.layout.assemble(
                        texts[row.text].ids[row.window.start : row.window.end],
                        labels[row.text].ids[row.run.start : row.run.stop],
                    )
                    for row in chosen
                ]
            )
            for row, row_logits in zip(chosen, logits, strict=True):
                own = row_logits[: len(row.run)]
                check_finite(own, name="the model's logits")
                found[row.text][row.window_number, row.run.start : row.run.stop] = own
            num_done += len(batch)
            if on_progress is not None:
                on_progress(num_done, len(rows))
        return found

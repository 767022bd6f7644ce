"""Labels beside windows of their texts: what both kinds of model that read them in one row have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from labelwise.backends.base import Backend
from labelwise.batching import plan_batches
from labelwise.errors import TextTooLongError
from labelwise.labels import LabelNode, LabelSet
from labelwise.scores import check_finite
from labelwise.tasks.classify import LabelEvidence
from labelwise.tasks.pairs import OnProgress
from labelwise.template import HypothesisTemplate
from labelwise.text.sequence import TokenSequence
from labelwise.text.tokenizer import EncodedText, TextTokenizer
from labelwise.windows import Reading, Window

__all__ = ["EncodedLabels", "LabelLayout", "LabelPlan", "encode_labels", "label_text", "score_label_rows"]

Ids = NDArray[np.int64]
Places = NDArray[np.int64]
_MAX_SHOWN_CHARACTERS = 40


class LabelLayout(Protocol):
    """How a text and labels become one row."""

    @property
    def max_tokens(self) -> int:
        """The longest row."""
        ...

    @property
    def num_fixed_tokens(self) -> int:
        """Tokens of a row without text and labels."""
        ...

    def assemble(self, text: Ids, labels: Sequence[Ids]) -> TokenSequence:
        """Return the row."""
        ...


@dataclass(frozen=True, slots=True)
class EncodedLabels:
    """The labels of one set: their ids, and what each takes in a row, its mark included."""

    ids: Sequence[Ids]
    costs: NDArray[np.int64]

    def chosen(self, places: Places) -> list[Ids]:
        """Return the ids of the labels at these places."""
        return [self.ids[place] for place in places]


@dataclass(frozen=True, slots=True)
class LabelPlan:
    """How one text is read: its windows, each beside each group of labels, by their places in the set."""

    reading: Reading
    groups: Sequence[Places]


@dataclass(frozen=True, slots=True)
class _LabelRow:
    """One row for the model: a window of a text with some of its labels, by their places in the set."""

    text: int
    window_number: int
    window: Window
    places: Places


def label_text(node: LabelNode, template: HypothesisTemplate | None) -> str:
    """Return what is read for a label: in its template; without one its description, or else its name."""
    if template is not None:
        return node.hypothesis(template)
    return node.path[-1] if node.description is None else node.description


def encode_labels(
    label_set: LabelSet, texts: Sequence[str], tokenizer: TextTokenizer, *, room: int, max_tokens: int
) -> EncodedLabels:
    """Encode the texts of a set's labels.

    Args:
        label_set: names the labels in errors.
        texts: what is read for each.
        tokenizer: encodes each alone.
        room: the most that one label may take.
        max_tokens: the window, for the message.

    Raises:
        TextTooLongError: a label leaves no room for a text.
    """
    ids = [encoded.ids for encoded in tokenizer.encode_many(texts)]
    costs = np.array([len(label) + 1 for label in ids], dtype=np.int64)
    longest = int(costs.argmax())
    if costs[longest] > room:
        name = label_set.nodes[longest].name
        shown = name if len(name) <= _MAX_SHOWN_CHARACTERS else name[: _MAX_SHOWN_CHARACTERS - 3] + "..."
        raise TextTooLongError(
            f"label {shown!r} has {costs[longest] - 1} tokens, which leaves no room for the text in a "
            f"window of {max_tokens} tokens; shorten it"
        )
    return EncodedLabels(ids, costs)


def score_label_rows(
    plans: Sequence[LabelPlan],
    texts: Sequence[EncodedText],
    labels: Sequence[EncodedLabels],
    *,
    layout: LabelLayout,
    backend: Backend,
    batch_tokens: int,
    divisor: float,
    on_progress: OnProgress | None,
) -> list[LabelEvidence]:
    """Read texts as planned, and return the evidence for each: its labels' summed logits by ``divisor``."""
    rows = [
        _LabelRow(text, number, window, places)
        for text, plan in enumerate(plans)
        for number, window in enumerate(plan.reading.windows)
        for places in plan.groups
    ]
    totals = [
        np.zeros((len(plan.reading.windows), len(own.ids))) for plan, own in zip(plans, labels, strict=True)
    ]
    for row, logits in _run(
        rows,
        texts,
        labels,
        layout=layout,
        backend=backend,
        batch_tokens=batch_tokens,
        on_progress=on_progress,
    ):
        totals[row.text][row.window_number, row.places] += logits
    return [
        LabelEvidence(total / divisor, total / divisor, len(text), plan.reading.was_truncated)
        for total, text, plan in zip(totals, texts, plans, strict=True)
    ]


def _run(
    rows: Sequence[_LabelRow],
    texts: Sequence[EncodedText],
    labels: Sequence[EncodedLabels],
    *,
    layout: LabelLayout,
    backend: Backend,
    batch_tokens: int,
    on_progress: OnProgress | None,
) -> Iterator[tuple[_LabelRow, NDArray[np.float64]]]:
    """Run rows, batched by length over all of them, and yield each with the logits of its labels."""
    lengths = [
        layout.num_fixed_tokens + len(row.window) + int(labels[row.text].costs[row.places].sum())
        for row in rows
    ]
    num_done = 0
    for batch in plan_batches(lengths, max_tokens=batch_tokens):
        chosen = [rows[place] for place in batch]
        (logits,) = backend.run(
            [
                layout.assemble(
                    texts[row.text].ids[row.window.start : row.window.end],
                    labels[row.text].chosen(row.places),
                )
                for row in chosen
            ]
        )
        for row, row_logits in zip(chosen, logits, strict=True):
            own = row_logits[: len(row.places)]
            check_finite(own, name="the model's logits")
            yield row, own
        num_done += len(batch)
        if on_progress is not None:
            on_progress(num_done, len(rows))

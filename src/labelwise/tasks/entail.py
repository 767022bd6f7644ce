"""Entail: does the hypothesis follow from the premise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labelwise.checkpoints.heads import NliHead
from labelwise.results import Entailment
from labelwise.scores import softmax
from labelwise.tasks.pairs import OnProgress, PairRow, PairScorer
from labelwise.windows import Truncation, plan_reading

__all__ = ["entail"]

Floats = NDArray[np.float64]


def entail(
    pairs: Sequence[tuple[str, str]],
    scorer: PairScorer,
    head: NliHead,
    *,
    temperature: float = 1.0,
    truncation: Truncation = "window",
    on_progress: OnProgress | None = None,
) -> list[Entailment]:
    """Judge each (premise, hypothesis), in order.

    A long premise is read in windows, and the window that decides most clearly speaks for it: the
    one with the least neutral probability, or with the most entailment in a two-class head.
    """
    if not pairs:
        return []
    premise_texts = list(dict.fromkeys(premise for premise, _ in pairs))
    hypothesis_texts = list(dict.fromkeys(hypothesis for _, hypothesis in pairs))
    premise_places = {text: place for place, text in enumerate(premise_texts)}
    hypothesis_places = {text: place for place, text in enumerate(hypothesis_texts)}
    premises = scorer.tokenizer.encode_many(premise_texts)
    hypotheses = scorer.tokenizer.encode_many(hypothesis_texts)
    rows: list[PairRow] = []
    stops = []
    for number, (premise, hypothesis) in enumerate(pairs, start=1):
        premise_place, hypothesis_place = premise_places[premise], hypothesis_places[hypothesis]
        room = scorer.room(len(hypotheses[hypothesis_place]), name=f"the hypothesis of pair {number}")
        reading = plan_reading(
            len(premises[premise_place]),
            room=room,
            truncation=truncation,
            name=f"the premise of pair {number}",
        )
        rows.extend(PairRow(premise_place, window, hypothesis_place) for window in reading.windows)
        stops.append(len(rows))
    logits = scorer.logits(premises, hypotheses, rows, on_progress=on_progress)
    probabilities = softmax(logits / np.float32(temperature))
    starts = [0, *stops[:-1]]
    return [_entailment(probabilities[start:stop], head) for start, stop in zip(starts, stops, strict=True)]


def _entailment(windows: Floats, head: NliHead) -> Entailment:
    undecided = 1.0 - windows[:, head.entailment] if head.neutral is None else windows[:, head.neutral]
    decisive = windows[int(undecided.argmin())]
    by_role = {name: float(decisive[column]) for name, column in head.roles.items()}
    return Entailment(label=max(by_role, key=by_role.__getitem__), windows_read=len(windows), **by_role)

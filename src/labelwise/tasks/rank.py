"""Rank: which candidate fits best, by entailment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from labelwise.checkpoints.heads import NliHead
from labelwise.errors import InputError
from labelwise.results import RankedCandidate
from labelwise.scores import log_odds, sigmoid
from labelwise.tasks.pairs import OnProgress, PairRow, PairScorer
from labelwise.text.tokenizer import EncodedText
from labelwise.windows import Truncation, Window, plan_reading

__all__ = ["PremiseSide", "rank"]

# Which side supports the other: "query" asks which candidates follow from the query (the pair order of
# sentence-transformers' CrossEncoder.rank), "candidate" asks which candidates support the query.
PremiseSide = Literal["query", "candidate"]


def rank(
    query: str,
    candidates: Sequence[str],
    scorer: PairScorer,
    head: NliHead,
    *,
    top_k: int | None = None,
    premise: PremiseSide = "query",
    temperature: float = 1.0,
    truncation: Truncation = "window",
    on_progress: OnProgress | None = None,
) -> list[RankedCandidate]:
    """Return the candidates by their probability of entailment, best first, equal ones in input order.

    Long texts on either side are read in windows; a candidate counts as much as its best window.

    Raises:
        InputError: no candidates, ``top_k`` below 1, or an unknown premise side.
    """
    _check(candidates, top_k, premise)
    encoded = scorer.tokenizer.encode_many([query, *candidates])
    rows: list[PairRow] = []
    owners: list[int] = []
    hypotheses: list[EncodedText] = []
    for place in range(len(candidates)):
        premise_place, hypothesis_place = (0, place + 1) if premise == "query" else (place + 1, 0)
        for part in _parts(encoded[hypothesis_place], scorer, truncation):
            hypotheses.append(part)
            reading = plan_reading(
                len(encoded[premise_place]),
                room=scorer.room(len(part), name="the hypothesis"),
                truncation=truncation,
                name="the query" if premise == "query" else f"candidate {place + 1}",
            )
            rows.extend(PairRow(premise_place, window, len(hypotheses) - 1) for window in reading.windows)
            owners.extend([place] * len(reading.windows))
    logits = scorer.logits(encoded, hypotheses, rows, on_progress=on_progress)
    margins = np.full(len(candidates), -np.inf)
    np.maximum.at(margins, owners, log_odds(logits / np.float32(temperature), column=head.entailment))
    windows_read = np.bincount(owners, minlength=len(candidates))
    scores = sigmoid(margins)
    order = np.argsort(-margins, kind="stable")[:top_k]
    return [
        RankedCandidate(int(place), candidates[place], float(scores[place]), int(windows_read[place]))
        for place in order
    ]


def _check(candidates: Sequence[str], top_k: int | None, premise: str) -> None:
    if not candidates:
        raise InputError("candidates is empty; give at least one text to rank")
    if top_k is not None and top_k < 1:
        raise InputError(f"top_k must be at least 1, got {top_k}")
    if premise not in get_args(PremiseSide):
        raise InputError(f"premise {premise!r} is not one of {', '.join(get_args(PremiseSide))}")


def _parts(hypothesis: EncodedText, scorer: PairScorer, truncation: Truncation) -> list[EncodedText]:
    """Split a hypothesis that would take more than half of a window."""
    half = (scorer.layout.max_tokens - scorer.layout.num_control_tokens) // 2
    reading = plan_reading(len(hypothesis), room=half, truncation=truncation, name="a hypothesis")
    return [_cut(hypothesis, window) for window in reading.windows]


def _cut(text: EncodedText, window: Window) -> EncodedText:
    return EncodedText(text.ids[window.start : window.end], text.offsets[window.start : window.end])

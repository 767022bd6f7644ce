"""What goes into a peer and comes out of it, in the shapes of labelwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from labelwise.checkpoints.heads import NliHead
from labelwise.errors import InputError
from labelwise.results import Classification, Entailment, LabelScore, RankedCandidate
from labelwise.template import HypothesisTemplate

__all__ = [
    "OnProgress",
    "Scores",
    "as_classification",
    "as_classifications",
    "as_entailments",
    "as_ranking",
    "chunks",
    "hypotheses_of",
    "in_chunks",
    "refuse_score_mode",
]

OnProgress = Callable[[int, int], None]
Scores = NDArray[np.floating]
Item = TypeVar("Item")


def hypotheses_of(labels: Sequence[str] | Mapping[str, str], template: str | None) -> dict[str, str]:
    """Return label -> the sentence that is scored; filled literally, never by ``str.format``.

    Args:
        labels: names, or name -> what is read in its place.
        template: None leaves the wording bare.

    Raises:
        InputError: two labels read the same, so that an answer could not be told apart.

    >>> hypotheses_of(["sports"], "This is about {}.")
    {'sports': 'This is about sports.'}
    """
    wording = dict(labels) if isinstance(labels, Mapping) else {label: label for label in labels}
    filled = HypothesisTemplate("{}" if template is None else template)
    found = {label: filled.fill(text) for label, text in wording.items()}
    if len(set(found.values())) != len(found):
        raise InputError("two labels read the same: give each its own wording")
    return found


def refuse_score_mode(score_mode: str) -> None:
    """Refuse a score mode that peers do not have."""
    if score_mode != "entail_logit":
        raise InputError(f"peers have no score mode {score_mode!r}: leave out --score-mode")


def as_classification(text: str, labels: Sequence[str], scores: NDArray[np.floating]) -> Classification:
    """Return the labels best first, equal ones in the order given; tokens and windows are not known."""
    order = np.argsort(-scores, kind="stable")
    ranked = tuple(LabelScore(labels[place], float(scores[place])) for place in order)
    return Classification(text, ranked, ranked[0], ranked, num_tokens=0, windows_read=1)


def as_classifications(
    texts: Sequence[str],
    labels: Sequence[str],
    score: Callable[[Sequence[str]], Scores],
    *,
    size: int,
    on_progress: OnProgress | None,
) -> list[Classification]:
    """Score texts in runs of at most ``size``, and return a result for each; progress counts pairs.

    Args:
        texts: to classify.
        labels: their names.
        score: returns the scores of some texts, shape (texts, labels).
        size: of a run.
        on_progress: is told how many pairs are done, of how many.
    """
    results: list[Classification] = []
    for some in chunks(texts, size):
        results += [
            as_classification(text, labels, scores) for text, scores in zip(some, score(some), strict=True)
        ]
        if on_progress is not None:
            on_progress(len(results) * len(labels), len(texts) * len(labels))
    return results


def in_chunks(
    items: Sequence[Item],
    run: Callable[[Sequence[Item]], Scores],
    *,
    size: int,
    on_progress: OnProgress | None,
) -> Scores:
    """Run items in runs of at most ``size``, and return all rows that come of them."""
    parts: list[Scores] = []
    num_done = 0
    for some in chunks(items, size):
        parts.append(run(some))
        num_done += len(some)
        if on_progress is not None:
            on_progress(num_done, len(items))
    return np.concatenate(parts)


def as_entailments(probabilities: NDArray[np.floating], head: NliHead) -> list[Entailment]:
    """Return one result per row of class probabilities."""
    results = []
    for row in probabilities:
        by_role = {role: float(row[column]) for role, column in head.roles.items()}
        results.append(
            Entailment(
                label=max(by_role, key=by_role.__getitem__),
                entailment=by_role["entailment"],
                neutral=by_role.get("neutral"),
                contradiction=by_role.get("contradiction"),
                not_entailment=by_role.get("not_entailment"),
            )
        )
    return results


def as_ranking(candidates: Sequence[str], scores: NDArray[np.floating]) -> list[RankedCandidate]:
    """Return the candidates best first, equal ones in the order given."""
    order = np.argsort(-scores, kind="stable")
    return [RankedCandidate(int(place), candidates[place], float(scores[place])) for place in order]


def chunks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Yield the items in runs of at most ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]

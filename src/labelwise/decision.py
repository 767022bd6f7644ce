"""From scores to a decision: thresholds, top-k, none-of-these, and trees of labels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import InputError, LabelError
from labelwise.labels import LabelSet
from labelwise.results import LabelScore
from labelwise.scores import sigmoid, softmax

__all__ = ["Decision", "DecisionRule", "Threshold", "biases_of", "decide", "label_scores"]

Floats = NDArray[np.float64]
Threshold = float | Mapping[str, float] | None


@dataclass(frozen=True, slots=True)
class DecisionRule:
    """How scores become accepted labels.

    Attributes:
        multi_label: each label is judged by itself; otherwise the labels compete and scores sum to 1.
        threshold: least score of an accepted label: one number, or a mapping label -> number. None
            means ``usual_threshold`` for multi_label and no threshold otherwise; so do labels missing in a
            mapping.
        top_k: keep that many labels, best first; None keeps all.
        none_label: the name that is returned when none of the labels fits; None for no such name.
        usual_thresholds: what was calibrated for the checkpoint with multi_label; it serves labels that
            ``threshold`` leaves open, and may name labels that are not asked for. Competing labels share
            their scores, so it does not hold for them.
        usual_threshold: the threshold of multi_label where nothing else gives one.
        label_biases: label -> what is added to its logit. They were learned together, and one of them alone
            would favour or set back its label for no reason: where a label that is asked for (in a tree, a
            label of any level) has none, none is added. Labels that are not asked for may be named.
        none_bias: what is added to the log-odds that none of the labels fits.
    """

    multi_label: bool = False
    threshold: Threshold = None
    top_k: int | None = None
    none_label: str | None = None
    usual_thresholds: Mapping[str, float] = field(default_factory=dict)
    usual_threshold: float = 0.5
    label_biases: Mapping[str, float] = field(default_factory=dict)
    none_bias: float = 0.0

    def __post_init__(self) -> None:
        if self.top_k is not None and self.top_k < 1:
            raise InputError(f"top_k must be at least 1, got {self.top_k}")
        if self.none_label is not None and not self.none_label.strip():
            raise LabelError("none_label is blank; give it a name or leave it out")
        numbers = self.threshold.values() if isinstance(self.threshold, Mapping) else [self.threshold]
        for number in numbers:
            if number is not None and not 0.0 <= number <= 1.0:
                raise InputError(f"a threshold must be between 0 and 1, got {number!r}")

    def check_labels(self, label_sets: Sequence[LabelSet]) -> None:
        """Refuse threshold names that no label set holds, and a none_label that is also a label."""
        names = {name for label_set in set(label_sets) for name in label_set.names}
        if self.none_label in names:
            raise LabelError(f"none_label {self.none_label!r} is also one of the labels; rename one of them")
        if isinstance(self.threshold, Mapping):
            unknown = [name for name in self.threshold if name not in names and name != self.none_label]
            if unknown:
                raise LabelError(f"threshold names {unknown[0]!r}, which is not one of the labels")

    def threshold_of(self, label: str) -> float:
        """Return the least score at which a label is accepted."""
        chosen = self.threshold.get(label) if isinstance(self.threshold, Mapping) else self.threshold
        if chosen is not None:
            return chosen
        return self.usual_thresholds.get(label, self.usual_threshold) if self.multi_label else 0.0


@dataclass(frozen=True, slots=True)
class Decision:
    """The labels of one text after the rule was applied; the fields are those of ``Classification``."""

    labels: tuple[LabelScore, ...]
    best: LabelScore | None
    accepted: tuple[LabelScore, ...]


def label_scores(
    label_set: LabelSet, evidence: Floats, margins: Floats, rule: DecisionRule
) -> list[LabelScore]:
    """Return a score for each leaf, in the order given, then one for ``none_label`` if there is one.

    Competing labels share a softmax over ``evidence``; in a tree a leaf's score is the product of the
    softmax among its siblings and those of its ancestors. With ``multi_label`` a score is
    ``sigmoid(margin)``, in a tree the least of them on the way from the root. A single label has
    nothing to compete with and is judged by its margin, as in transformers.

    The none label's score is the probability that not even the best label holds by itself, its log-odds
    moved by ``rule.none_bias``; competing labels share what is left, so that all scores still sum to 1.

    Args:
        label_set: the labels; evidence and margins follow ``label_set.nodes``.
        evidence: shape (nodes,): compared between labels.
        margins: shape (nodes,): log-odds of each label by itself.
        rule: the decision rule.
    """
    if rule.label_biases:
        biases = biases_of([node.name for node in label_set.nodes], rule.label_biases)
        evidence, margins = evidence + biases, margins + biases
    alone = _down_the_tree(label_set, sigmoid(margins), np.minimum)
    if rule.multi_label or len(label_set.nodes) == 1:
        scores = alone
    else:
        scores = _down_the_tree(label_set, _sibling_softmax(label_set, evidence), np.multiply)
    leaves = [place for place, node in enumerate(label_set.nodes) if node.is_leaf]
    holds = _less_likely(float(alone[leaves].max()), by=rule.none_bias)
    if rule.none_label is not None and not rule.multi_label and len(leaves) > 1:
        scores = scores * holds
    found = [_leaf_score(label_set, place, float(scores[place])) for place in leaves]
    if rule.none_label is not None:
        found.append(LabelScore(rule.none_label, 1.0 - holds))
    return found


def biases_of(labels: Sequence[str], label_biases: Mapping[str, float]) -> Floats:
    """Return what is added to the logit of each label: nothing to any, unless all of them have a bias.

    >>> biases_of(["a", "b"], {"a": 1.0, "b": -1.0, "c": 2.0}).tolist()
    [1.0, -1.0]
    >>> biases_of(["a", "d"], {"a": 1.0, "b": -1.0}).tolist()
    [0.0, 0.0]
    """
    if not all(label in label_biases for label in labels):
        return np.zeros(len(labels))
    return np.array([label_biases[label] for label in labels], dtype=np.float64)


def decide(scored: Sequence[LabelScore], rule: DecisionRule) -> Decision:
    """Apply thresholds, top-k and none-of-these to the scores of one text.

    Labels with equal scores stay in the order in which they were given.
    """
    ranked = sorted(scored, key=lambda label: -label.score)
    reached = [
        label
        for label in ranked
        if label.label != rule.none_label and label.score >= rule.threshold_of(label.label)
    ]
    accepted = _accepted(ranked, reached, rule)
    kept = tuple(ranked[: rule.top_k])
    best = accepted[0] if accepted else None
    return Decision(labels=kept, best=best, accepted=accepted[: rule.top_k])


def _accepted(
    ranked: Sequence[LabelScore], reached: Sequence[LabelScore], rule: DecisionRule
) -> tuple[LabelScore, ...]:
    none = next((label for label in ranked if label.label == rule.none_label), None)
    if none is not None and (not reached or (not rule.multi_label and none.score > reached[0].score)):
        return (none,)
    if rule.multi_label:
        return tuple(reached)
    # Competing labels: only the winner can be accepted, and only if it reaches its own threshold.
    winner = next(label for label in ranked if label.label != rule.none_label)
    return (winner,) if winner in reached else ()


def _less_likely(probability: float, *, by: float) -> float:
    """Subtract from the log-odds of a probability, without computing them: they may be infinite."""
    if by == 0.0:
        return probability
    return probability / (probability + (1.0 - probability) * math.exp(by))


def _leaf_score(label_set: LabelSet, place: int, score: float) -> LabelScore:
    node = label_set.nodes[place]
    return LabelScore(node.name, score, node.path if label_set.is_nested else ())


def _sibling_softmax(label_set: LabelSet, evidence: Floats) -> Floats:
    scores = np.empty(len(label_set.nodes), dtype=np.float64)
    siblings: dict[int | None, list[int]] = {}
    for place, node in enumerate(label_set.nodes):
        siblings.setdefault(node.parent, []).append(place)
    for places in siblings.values():
        scores[places] = softmax(evidence[places])
    return scores


def _down_the_tree(label_set: LabelSet, scores: Floats, join: np.ufunc) -> Floats:
    joined = scores.copy()
    for place, node in enumerate(label_set.nodes):
        if node.parent is not None:
            joined[place] = join(joined[node.parent], joined[place])
    return joined

"""From a model and labelled rows to the numbers that belong beside it; other rows are kept to judge them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from labelwise.calibration.none_of_these import fit_none_bias
from labelwise.calibration.prior import apply_label_biases, fit_label_biases
from labelwise.calibration.temperature import (
    TemperatureFit,
    fit_sigmoid_temperature,
    fit_softmax_temperature,
)
from labelwise.calibration.thresholds import fit_thresholds
from labelwise.checkpoints.settings import CheckpointSettings, ScoreKind
from labelwise.decision import biases_of
from labelwise.errors import DataError, InputError
from labelwise.model import Model
from labelwise.results import Classification
from labelwise.scores import sigmoid, softmax

__all__ = [
    "ScoredRows",
    "fit_biases",
    "fit_scores",
    "fit_temperature",
    "probabilities",
    "score_pairs",
    "score_texts",
    "split_in_halves",
    "thresholds_of",
    "uncalibrated",
]

Floats = NDArray[np.float64]

# A score of a few hundred logits below the best one is 0 in a float; its logarithm must stay a number.
_LEAST_SCORE: Final = float(np.finfo(np.float64).tiny)
# Half the distance from 1 to the float below it: the greatest margin that a score tells.
_NEAREST_TO_ONE: Final = float(np.finfo(np.float64).eps) / 2


@dataclass(frozen=True, slots=True)
class ScoredRows:
    """What a model says of labelled rows before any calibration.

    Attributes:
        kind: which of the model's scores these are.
        columns: the labels, or the classes of a pair; a none label comes last.
        logits: shape (rows, labels): up to a constant per row for competing ones, else log-odds. A none label
            has no column here.
        gold: shape (rows,): the true column; with ``multi_label`` shape (rows, labels): True where it holds.
        margins: where there is a none label: shape (rows, labels), log-odds of each label by itself.
    """

    kind: ScoreKind
    columns: tuple[str, ...]
    logits: Floats
    gold: NDArray[np.integer] | NDArray[np.bool_]
    margins: Floats | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The columns of ``logits``."""
        return self.columns[: self.logits.shape[1]]

    def at(self, places: NDArray[np.int64]) -> ScoredRows:
        """Return the rows at these places."""
        margins = None if self.margins is None else self.margins[places]
        return replace(self, logits=self.logits[places], gold=self.gold[places], margins=margins)


def uncalibrated(model: Model) -> Model:
    """Return the same model with all calibration of its scores left out."""
    settings = model.checkpoint.settings.without_calibration()
    return replace(model, checkpoint=replace(model.checkpoint, settings=settings))


def score_texts(
    model: Model,
    texts: Sequence[str],
    gold: Sequence[Sequence[str]],
    *,
    labels: Sequence[str],
    multi_label: bool = False,
    none_label: str | None = None,
    hypothesis_template: str | None = None,
) -> ScoredRows:
    """Score each text with all labels.

    Args:
        model: calibrated or not: what was calibrated is left out here.
        texts: the texts.
        gold: the true labels of each text; exactly one unless ``multi_label``.
        labels: the closed set, the none label left out.
        multi_label: judge each label by itself.
        none_label: the gold label of texts that none of ``labels`` fits; for competing labels.
        hypothesis_template: as in ``classify``.

    Raises:
        DataError: there is no text, or gold labels are not among the labels.
        InputError: a setting has no meaning.
    """
    if none_label is not None and (multi_label or none_label in labels):
        raise InputError(
            f"none_label {none_label!r} must not be one of the labels, and is not for multi_label: its "
            "thresholds decide there"
        )
    if not multi_label and len(labels) < 2:
        raise InputError(f"labels that compete must be at least 2, got {list(labels)!r}")
    columns = (*labels, *([] if none_label is None else [none_label]))
    holds = _gold_table(gold, columns)
    if not multi_label and not (holds.sum(axis=1) == 1).all():
        row = int((holds.sum(axis=1) != 1).argmax())
        raise DataError(f"row {row + 1} has {len(gold[row])} labels, and labels that compete need one each")
    raw = uncalibrated(model)
    alone, competing = None, None
    if multi_label or none_label is not None:
        alone = _log_odds(
            _score_table(
                raw.classify(texts, labels, multi_label=True, hypothesis_template=hypothesis_template), labels
            )
        )
    if alone is not None and multi_label:
        return ScoredRows("multi_label", columns, alone, holds)
    results = raw.classify(texts, labels, hypothesis_template=hypothesis_template)
    competing = np.log(np.maximum(_score_table(results, labels), _LEAST_SCORE))
    return ScoredRows("classify", columns, competing, holds.argmax(axis=1), alone)


def score_pairs(model: Model, pairs: Sequence[tuple[str, str]], gold: Sequence[str]) -> ScoredRows:
    """Score pairs of premise and hypothesis.

    Args:
        model: calibrated or not.
        pairs: (premise, hypothesis).
        gold: "entailment", "neutral", "contradiction" or, for two-class models, "not_entailment".

    Raises:
        DataError: there is no pair, or a gold label is not a class of the model.
    """
    if not pairs:
        raise DataError("there are no rows to calibrate on")
    results = uncalibrated(model).entail(pairs=pairs)
    classes = tuple(results[0].scores())
    table = np.array([[result.scores()[name] for name in classes] for result in results])
    holds = _gold_table([[_as_class(label, classes)] for label in gold], classes)
    return ScoredRows("entail", classes, np.log(np.maximum(table, _LEAST_SCORE)), holds.argmax(axis=1))


def split_in_halves(
    inputs: Sequence[Hashable], strata: Sequence[Hashable], *, seed: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places of the rows to fit on and of those to judge by.

    Each stratum goes to both in equal parts, up to one row. Rows with the same input stay together, so that
    what is judged was never fitted.

    Args:
        inputs: the text or pair of each row.
        strata: what both halves should have equally much of, such as the label.
        seed: another seed is another split.

    Raises:
        DataError: there are not two different inputs.
    """
    rows_of: dict[Hashable, list[int]] = {}
    for place, given in enumerate(inputs):
        rows_of.setdefault(given, []).append(place)
    if len(rows_of) < 2:
        raise DataError(f"{len(rows_of)} different rows cannot be split in halves: give more")
    groups = list(rows_of.values())
    shuffled = np.random.default_rng(seed).permutation(len(groups))
    ordered = sorted(shuffled.tolist(), key=lambda group: repr(strata[groups[group][0]]))
    halves = [sorted(place for group in ordered[first::2] for place in groups[group]) for first in (0, 1)]
    return np.array(halves[0], dtype=np.int64), np.array(halves[1], dtype=np.int64)


def probabilities(scored: ScoredRows, settings: CheckpointSettings) -> Floats:
    """Return the scores that the model gives with these settings, shape (rows, columns)."""
    temperature = settings.temperature_of(scored.kind)
    biases = biases_of(scored.labels, settings.label_biases)
    if scored.kind == "multi_label":
        return sigmoid(scored.logits / temperature + biases)
    if scored.kind == "entail":
        return softmax(scored.logits / temperature)
    scores = softmax(scored.logits / temperature + biases)
    if scored.margins is None:
        return scores
    best = (scored.margins / temperature + biases).max(axis=1, keepdims=True)
    return np.hstack([scores * sigmoid(best - settings.none_bias), sigmoid(settings.none_bias - best)])


def fit_temperature(scored: ScoredRows, settings: CheckpointSettings) -> TemperatureFit:
    """Fit the temperature of scores of this kind, against the one in ``settings``.

    Rows that none of the labels fits play no part.
    """
    in_use = settings.temperature_of(scored.kind)
    if scored.kind == "multi_label":
        return fit_sigmoid_temperature(scored.logits, scored.gold.astype(bool), in_use=in_use)
    has_label = scored.gold < len(scored.labels)
    return fit_softmax_temperature(
        scored.logits[has_label], scored.gold[has_label].astype(np.int64), in_use=in_use
    )


def fit_scores(scored: ScoredRows, settings: CheckpointSettings) -> dict[str, Any]:
    """Fit what the gold labels tell, and return it as arguments of ``save_calibration``.

    That is a temperature, if there is a useful one: else that in ``settings`` is left as it is; with
    multi_label also thresholds; with a none label also its bias, all as they belong with the label biases in
    ``settings``.
    """
    fit = fit_temperature(scored, settings)
    values: dict[str, Any] = {"task_temperatures": {scored.kind: fit.temperature}} if fit.is_useful else {}
    if scored.kind == "multi_label":
        thresholds = fit_thresholds(
            probabilities(scored, settings.updated(**values)), scored.gold.astype(bool), labels=scored.labels
        )
        return values | {"thresholds": thresholds.by_label, "default_threshold": thresholds.shared}
    if scored.margins is None:
        return values
    without = settings.updated(**values, none_bias=0.0)
    none_scores = probabilities(scored, without)[:, -1:]
    is_none = scored.gold >= len(scored.labels)
    return values | {"none_bias": fit_none_bias(-_log_odds(none_scores)[:, 0], is_none)}


def fit_biases(
    model: Model,
    texts: Sequence[str],
    *,
    labels: Sequence[str],
    settings: CheckpointSettings,
    hypothesis_template: str | None = None,
    strength: float = 0.5,
) -> dict[str, float]:
    """Fit label biases on texts without labels, at the temperature in ``settings``.

    Raises:
        InputError: there is no text, or a setting has no meaning.
    """
    if not texts:
        raise InputError("there are no texts to learn label biases from, besides those held out")
    results = uncalibrated(model).classify(texts, labels, hypothesis_template=hypothesis_template)
    logits = np.log(np.maximum(_score_table(results, labels), _LEAST_SCORE))
    scores = apply_label_biases(
        logits / settings.temperature_of("classify"), labels=labels, biases=dict.fromkeys(labels, 0.0)
    )
    return fit_label_biases(scores, labels=labels, strength=strength)


def thresholds_of(settings: CheckpointSettings, labels: Sequence[str]) -> Floats:
    """Return the threshold of each label with multi_label, as ``classify`` chooses it."""
    usual = 0.5 if settings.default_threshold is None else settings.default_threshold
    return np.array([settings.thresholds.get(label, usual) for label in labels])


def _gold_table(gold: Sequence[Sequence[str]], columns: Sequence[str]) -> NDArray[np.bool_]:
    if not gold:
        raise DataError("there are no rows to calibrate on")
    place_of = {label: place for place, label in enumerate(columns)}
    table = np.zeros((len(gold), len(columns)), dtype=bool)
    for row, labels in enumerate(gold):
        for label in labels:
            if label not in place_of:
                raise DataError(f"row {row + 1}: {label!r} is not one of {', '.join(columns[:10])}")
            table[row, place_of[label]] = True
    return table


def _score_table(results: Sequence[Classification], labels: Sequence[str]) -> Floats:
    by_label = [{entry.label: entry.score for entry in result.labels} for result in results]
    return np.array([[scores[label] for label in labels] for scores in by_label])


def _log_odds(scores: Floats) -> Floats:
    inside = np.clip(scores, _LEAST_SCORE, 1.0 - _NEAREST_TO_ONE)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def _as_class(label: str, classes: Sequence[str]) -> str:
    if label in ("neutral", "contradiction") and "not_entailment" in classes:
        return "not_entailment"
    return label

"""One number for several data sets with different labels: what a model ships for texts nobody has seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labelwise.calibration.fitting import ScoredRows
from labelwise.calibration.none_of_these import fit_none_bias
from labelwise.calibration.temperature import fit_sigmoid_temperature, fit_softmax_temperature
from labelwise.calibration.thresholds import best_f1_threshold
from labelwise.errors import InputError
from labelwise.scores import sigmoid

__all__ = ["pooled_none_bias", "pooled_temperature", "pooled_threshold"]

Floats = NDArray[np.float64]


def pooled_temperature(sets: Sequence[ScoredRows]) -> float:
    """Fit one temperature to sets of one kind, each row counting alike.

    Raises:
        InputError: there is no set, or the sets are of different kinds.
    """
    kinds = {scored.kind for scored in sets}
    if len(kinds) != 1:
        raise InputError(f"the sets are of {len(kinds)} kinds ({', '.join(sorted(kinds))}): give one")
    if kinds == {"multi_label"}:
        margins, holds = _all_entries(sets)
        return fit_sigmoid_temperature(margins, holds).temperature
    widest = max(scored.logits.shape[1] for scored in sets)
    logits = [
        np.pad(scored.logits, ((0, 0), (0, widest - scored.logits.shape[1])), constant_values=-np.inf)
        for scored in sets
    ]
    gold = np.concatenate([scored.gold for scored in sets]).astype(np.int64)
    return fit_softmax_temperature(np.concatenate(logits), gold).temperature


def pooled_threshold(sets: Sequence[ScoredRows], *, temperature: float) -> float:
    """Return the multi-label threshold with the best F1 over all labels of all texts of all sets."""
    margins, holds = _all_entries(sets)
    return best_f1_threshold(sigmoid(margins / temperature), holds)


def pooled_none_bias(sets: Sequence[ScoredRows], *, temperature: float) -> float:
    """Return the bias of "none of these" that fits texts whose true labels were left out of the set.

    Every second text of each set keeps its label set; from the others' sets their true labels are taken away,
    so that none is true.

    Args:
        sets: multi-label scores of texts with at least one true and one false label.
        temperature: the one that multi-label scores will have.
    """
    best, is_none = [], []
    for scored in sets:
        margins = scored.logits / temperature
        loses_labels = np.arange(len(margins)) % 2 == 1
        shown = np.where(loses_labels[:, None] & scored.gold.astype(bool), -np.inf, margins)
        usable = np.isfinite(shown).any(axis=1)
        best.append(shown.max(axis=1)[usable])
        is_none.append(loses_labels[usable])
    return fit_none_bias(np.concatenate(best), np.concatenate(is_none))


def _all_entries(sets: Sequence[ScoredRows]) -> tuple[Floats, NDArray[np.bool_]]:
    margins = np.concatenate([scored.logits.ravel() for scored in sets])
    return margins, np.concatenate([scored.gold.ravel() for scored in sets]).astype(bool)

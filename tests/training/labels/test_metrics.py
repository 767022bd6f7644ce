from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from labelwise.training.labels.metrics import measure_labels

LABELS = [("boats", "bread", "chess"), ("boats", "bread")]
TARGETS = np.array([[1, 0, 0], [0, 1, -100]])
LOGITS = np.array([[3.0, -2.0, 1.0], [-1.0, -1.5, -np.inf]])


def test_figures_are_those_counted_by_hand():
    figures = measure_labels(LOGITS, TARGETS, labels=LABELS)
    # Accepted: boats (right), chess (wrong); missed: bread of the second text.
    assert figures["accuracy"] == pytest.approx(3 / 5)
    assert figures["micro_f1"] == pytest.approx(2 * 1 / (2 + 2))
    # boats: F1 1; bread: never accepted, F1 0; chess is true of no text.
    assert figures["macro_f1"] == pytest.approx(0.5)
    assert figures["mrr"] == pytest.approx((1 + 1 / 2) / 2)
    assert figures["hit@1"] == pytest.approx(0.5)
    probabilities = 1 / (1 + np.exp(-np.array([3.0, -2.0, 1.0, -1.0, -1.5])))
    assert figures["brier"] == pytest.approx(np.mean((probabilities - [1, 0, 0, 0, 1]) ** 2))
    assert figures["share_true"] == pytest.approx(2 / 5)


def test_numbers_where_there_is_no_label_change_nothing():
    other = LOGITS.copy()
    other[1, 2] = 99.0
    assert measure_labels(other, TARGETS, labels=LABELS) == measure_labels(LOGITS, TARGETS, labels=LABELS)


def test_a_perfect_ranking_with_sure_probabilities_is_perfect():
    figures = measure_labels(np.where(TARGETS == 1, 30.0, -30.0), TARGETS, labels=LABELS)
    for name in ("accuracy", "micro_f1", "macro_f1", "mrr", "hit@1", "ndcg@3"):
        assert figures[name] == pytest.approx(1.0)
    assert figures["ece"] == pytest.approx(0.0, abs=1e-9)


def test_texts_without_a_true_label_have_no_ranking():
    figures = measure_labels(LOGITS, np.where(TARGETS == 1, 0, TARGETS), labels=LABELS)
    assert "mrr" not in figures
    assert figures["macro_f1"] == 0.0

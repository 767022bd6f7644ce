import numpy as np
import pytest

from labelwise.calibration.fitting import ScoredRows
from labelwise.calibration.pooled import pooled_none_bias, pooled_temperature, pooled_threshold
from labelwise.errors import InputError
from labelwise.scores import sigmoid

RANDOM = np.random.default_rng(0)


def competing(num_labels, *, scale, rows=4000):
    """Labels drawn from the very softmax of the logits, which are then blown up."""
    logits = RANDOM.normal(size=(rows, num_labels)) * 2
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    gold = (chances.cumsum(axis=1) > RANDOM.random((rows, 1))).argmax(axis=1)
    return ScoredRows("classify", tuple(map(str, range(num_labels))), logits * scale, gold)


def alone(num_labels, *, scale, rows=3000):
    margins = RANDOM.normal(size=(rows, num_labels)) * 2 - 1
    gold = RANDOM.random(margins.shape) < sigmoid(margins)
    return ScoredRows("multi_label", tuple(map(str, range(num_labels))), margins * scale, gold)


def test_sets_with_different_numbers_of_labels_give_one_temperature():
    sets = [competing(3, scale=2.0), competing(7, scale=2.0)]
    assert pooled_temperature(sets) == pytest.approx(2.0, rel=0.06)


def test_multi_label_margins_are_pooled_entry_by_entry():
    sets = [alone(2, scale=3.0), alone(5, scale=3.0)]
    assert pooled_temperature(sets) == pytest.approx(3.0, rel=0.06)


def test_sets_of_different_kinds_are_refused():
    with pytest.raises(InputError, match="2 kinds"):
        pooled_temperature([competing(3, scale=1.0), alone(3, scale=1.0)])


def test_the_threshold_parts_true_from_false_where_that_can_be_done():
    gold = np.array([[True, False], [False, True]])
    scored = ScoredRows("multi_label", ("a", "b"), np.where(gold, 4.0, 1.0), gold)
    assert sigmoid(np.array(0.5)) < pooled_threshold([scored], temperature=2.0) <= sigmoid(np.array(2.0))


def test_the_none_bias_makes_none_as_frequent_as_it_is():
    gold = np.eye(3, dtype=bool)[np.arange(300) % 3]
    margins = np.where(gold, 5.0, 1.0)
    bias = pooled_none_bias([ScoredRows("multi_label", ("a", "b", "c"), margins, gold)], temperature=1.0)
    assert 1.0 < bias < 5.0
    assert sigmoid(np.array(bias - 5.0)) + sigmoid(np.array(bias - 1.0)) == pytest.approx(1.0, abs=1e-6)

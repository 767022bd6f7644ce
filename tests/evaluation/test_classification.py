"""Label measures against scikit-learn, and where it has no answer against numbers by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from labelwise.errors import InputError
from labelwise.evaluation.classification import evaluate_multi_label, evaluate_single_label

LABELS = ["a", "b", "c", "d"]
names = st.sampled_from(LABELS)


@given(st.lists(st.tuples(names, names), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_single_label_measures_equal_those_of_scikit_learn(pairs):
    gold, predicted = [list(side) for side in zip(*pairs, strict=True)]
    report = evaluate_single_label(gold, predicted, labels=LABELS)
    assert report.accuracy == pytest.approx(metrics.accuracy_score(gold, predicted))
    assert report.balanced_accuracy == pytest.approx(metrics.balanced_accuracy_score(gold, predicted))
    for average, found in (("macro", report.macro), ("micro", report.micro)):
        expected = metrics.precision_recall_fscore_support(gold, predicted, average=average, zero_division=0)
        assert (found.precision, found.recall, found.f1) == pytest.approx(expected[:3])
    per_label = metrics.precision_recall_fscore_support(gold, predicted, labels=LABELS, zero_division=0)
    table = [(entry.precision, entry.recall, entry.f1, entry.support) for entry in report.per_label]
    assert np.allclose(np.array(table), np.array(per_label).T)
    assert (report.confusion == metrics.confusion_matrix(gold, predicted, labels=LABELS)).all()


@given(st.integers(1, 12), st.data())
@settings(max_examples=60, deadline=None)
def test_multi_label_measures_equal_those_of_scikit_learn(num_texts, data):
    grid = st.lists(st.booleans(), min_size=4 * num_texts, max_size=4 * num_texts)
    gold = np.array(data.draw(grid)).reshape(num_texts, 4)
    predicted = np.array(data.draw(grid)).reshape(num_texts, 4)
    report = evaluate_multi_label(gold, predicted, labels=LABELS)
    assert report.exact_match == pytest.approx(metrics.accuracy_score(gold, predicted))
    assert report.hamming_accuracy == pytest.approx(1 - metrics.hamming_loss(gold, predicted))
    for average, found in (("macro", report.macro), ("micro", report.micro)):
        expected = metrics.precision_recall_fscore_support(gold, predicted, average=average, zero_division=0)
        assert (found.precision, found.recall, found.f1) == pytest.approx(expected[:3])
    assert (report.confusion == metrics.multilabel_confusion_matrix(gold, predicted)).all()


def test_an_abstention_is_wrong_but_costs_no_precision():
    report = evaluate_single_label(["a", "a", "b"], ["a", None, "b"], labels=["a", "b"])
    assert report.accuracy == pytest.approx(2 / 3)
    assert report.num_abstained == 1
    assert report.micro.precision == 1.0
    assert report.micro.recall == pytest.approx(2 / 3)
    assert report.per_label[0].recall == 0.5
    assert report.confusion.tolist() == [[1, 0], [0, 1]]


def test_a_label_that_never_occurs_does_not_lower_the_macro_average():
    report = evaluate_single_label(["a", "b"], ["a", "b"], labels=["a", "b", "never"])
    assert report.macro.f1 == 1.0
    assert report.per_label[2].support == 0


def test_abstaining_from_everything_scores_zero():
    report = evaluate_single_label(["a", "b"], [None, None], labels=["a", "b"])
    assert (report.accuracy, report.macro.f1, report.micro.f1) == (0.0, 0.0, 0.0)


def test_reports_are_ready_for_json():
    single = evaluate_single_label(["a", "b"], ["a", "a"], labels=["a", "b"]).to_dict()
    assert json.loads(json.dumps(single))["macro_f1"] == pytest.approx(1 / 3)
    truth = np.array([[True, False]])
    several = evaluate_multi_label(truth, truth, labels=["a", "b"]).to_dict()
    assert json.loads(json.dumps(several))["exact_match"] == 1.0


@pytest.mark.parametrize(
    ("gold", "predicted", "labels", "message"),
    [
        ([], [], ["a"], "no texts"),
        (["a"], [], ["a"], "1 gold labels and 0 predictions"),
        (["x"], ["a"], ["a"], "gold label 'x'"),
        (["a"], ["x"], ["a"], "predicted label 'x'"),
        (["a"], ["a"], ["a", "a"], "each once"),
    ],
)
def test_labels_that_do_not_fit_are_refused(gold, predicted, labels, message):
    with pytest.raises(InputError, match=message):
        evaluate_single_label(gold, predicted, labels=labels)


def test_grids_of_different_shape_are_refused():
    with pytest.raises(InputError, match="2 labels"):
        evaluate_multi_label(np.ones((3, 2), bool), np.ones((2, 2), bool), labels=["a", "b"])

"""Decisions: thresholds, top-k, none-of-these and trees."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelwise.decision import DecisionRule, decide, label_scores
from labelwise.errors import InputError, LabelError
from labelwise.labels import LabelSet
from labelwise.results import LabelScore
from labelwise.scores import sigmoid, softmax

FLAT = LabelSet.parse(["a", "b", "c", "d"])
TREE = LabelSet.parse({"x": ["x1", "x2"], "y": {"y1": ["deep1", "deep2"], "y2": None}})
numbers = st.lists(st.floats(-20, 20), min_size=4, max_size=4).map(np.array)
tree_numbers = st.lists(st.floats(-20, 20), min_size=len(TREE.nodes), max_size=len(TREE.nodes)).map(np.array)


def scores_of(label_set, evidence, margins, **settings):
    return label_scores(label_set, np.asarray(evidence), np.asarray(margins), DecisionRule(**settings))


@given(numbers, numbers)
def test_competing_labels_share_a_softmax_over_evidence(evidence, margins):
    scores = [label.score for label in scores_of(FLAT, evidence, margins)]
    assert scores == pytest.approx(softmax(evidence).tolist())


@given(numbers, numbers)
def test_labels_by_themselves_are_sigmoids_of_margins(evidence, margins):
    scores = [label.score for label in scores_of(FLAT, evidence, margins, multi_label=True)]
    assert scores == pytest.approx(sigmoid(margins).tolist())


def test_a_single_label_is_judged_by_its_margin():
    (only,) = scores_of(LabelSet.parse(["a"]), [5.0], [0.0])
    assert only.score == 0.5


@given(tree_numbers, tree_numbers)
def test_leaves_of_a_tree_sum_to_one(evidence, margins):
    assert sum(label.score for label in scores_of(TREE, evidence, margins)) == pytest.approx(1.0)


@given(tree_numbers, tree_numbers)
def test_a_leaf_never_scores_more_than_its_parents_by_itself(evidence, margins):
    alone = dict(zip([node.path for node in TREE.nodes], sigmoid(margins), strict=True))
    for label in scores_of(TREE, evidence, margins, multi_label=True):
        on_the_way = [alone[label.path[: depth + 1]] for depth in range(len(label.path))]
        assert label.score == pytest.approx(min(on_the_way))


@given(numbers, numbers)
def test_scores_with_a_none_label_sum_to_one(evidence, margins):
    found = scores_of(FLAT, evidence, margins, none_label="none")
    assert sum(label.score for label in found) == pytest.approx(1.0)
    assert found[-1] == LabelScore("none", 1.0 - float(sigmoid(margins).max()))


def test_none_wins_when_no_label_holds():
    rule = DecisionRule(none_label="none")
    assert decide(label_scores(FLAT, np.zeros(4), np.full(4, -4.0), rule), rule).best.label == "none"
    assert decide(label_scores(FLAT, np.array([5.0, 0, 0, 0]), np.full(4, 4.0), rule), rule).best.label == "a"


def test_multi_label_falls_back_on_none_only_when_nothing_is_accepted():
    rule = DecisionRule(multi_label=True, none_label="none")
    nothing = decide(label_scores(FLAT, np.zeros(4), np.full(4, -1.0), rule), rule)
    assert [label.label for label in nothing.accepted] == ["none"]
    something = decide(label_scores(FLAT, np.zeros(4), np.array([1.0, -1, 2, -1]), rule), rule)
    assert [label.label for label in something.accepted] == ["c", "a"]


scored = st.lists(st.floats(0, 1), min_size=1, max_size=8).map(
    lambda values: [LabelScore(f"l{place}", value) for place, value in enumerate(values)]
)


@given(scored, st.floats(0, 1), st.floats(0, 1), st.booleans())
def test_raising_the_threshold_never_adds_a_label(labels, one, other, multi_label):
    low, high = sorted([one, other])
    few = decide(labels, DecisionRule(multi_label=multi_label, threshold=high)).accepted
    many = decide(labels, DecisionRule(multi_label=multi_label, threshold=low)).accepted
    assert set(few) <= set(many)


@given(scored, st.integers(1, 10), st.booleans())
def test_top_k_keeps_the_best_in_order(labels, top_k, multi_label):
    everything = decide(labels, DecisionRule(multi_label=multi_label))
    cut = decide(labels, DecisionRule(multi_label=multi_label, top_k=top_k))
    assert cut.labels == everything.labels[:top_k]
    assert cut.best == everything.best
    assert set(cut.accepted) <= set(cut.labels)


def test_nothing_reaches_the_threshold_means_no_best_label():
    decision = decide([LabelScore("a", 0.4), LabelScore("b", 0.3)], DecisionRule(threshold=0.5))
    assert decision.best is None
    assert decision.accepted == ()
    assert len(decision.labels) == 2


def test_each_label_may_have_its_own_threshold():
    rule = DecisionRule(multi_label=True, threshold={"a": 0.9, "b": 0.2})
    labels = [LabelScore("a", 0.8), LabelScore("b", 0.3), LabelScore("c", 0.4)]
    assert [label.label for label in decide(labels, rule).accepted] == ["b"]


def test_equal_scores_stay_in_the_order_given():
    labels = [LabelScore(name, 0.5) for name in "cab"]
    assert [label.label for label in decide(labels, DecisionRule()).labels] == ["c", "a", "b"]


@pytest.mark.parametrize(
    "settings", [{"top_k": 0}, {"threshold": 1.5}, {"threshold": {"a": -0.1}}, {"none_label": " "}]
)
def test_settings_without_meaning_are_refused(settings):
    with pytest.raises(InputError):
        DecisionRule(**settings)


def test_a_threshold_for_an_unknown_label_is_refused():
    with pytest.raises(LabelError, match="threshold names 'z'"):
        DecisionRule(threshold={"z": 0.5}).check_labels([FLAT])


def test_the_none_label_must_not_be_a_label():
    with pytest.raises(LabelError, match="none_label 'a' is also one of the labels"):
        DecisionRule(none_label="a").check_labels([FLAT])


@given(numbers, numbers, st.booleans(), st.sampled_from([None, "none"]))
def test_biases_of_zero_or_of_other_labels_change_not_a_bit(evidence, margins, multi_label, none_label):
    settings = {"multi_label": multi_label, "none_label": none_label}
    plain = scores_of(FLAT, evidence, margins, **settings)
    zeros = dict.fromkeys("abcd", 0.0)
    assert scores_of(FLAT, evidence, margins, label_biases={**zeros, "z": 5.0}, **settings) == plain
    assert scores_of(FLAT, evidence, margins, label_biases={"z": 5.0}, **settings) == plain
    assert scores_of(FLAT, evidence, margins, none_bias=0.0, **settings) == plain


@given(numbers, numbers, st.floats(-5, 5))
def test_a_bias_moves_the_logit_of_its_label(evidence, margins, bias):
    moved = np.array([bias, 0, 0, 0])
    biases = {"a": bias, "b": 0.0, "c": 0.0, "d": 0.0}
    assert scores_of(FLAT, evidence, margins, label_biases=biases) == scores_of(
        FLAT, evidence + moved, margins
    )
    assert scores_of(FLAT, evidence, margins, label_biases=biases, multi_label=True) == scores_of(
        FLAT, evidence, margins + moved, multi_label=True
    )


@given(numbers, numbers, st.floats(-5, 5), st.booleans())
def test_biases_of_one_set_of_labels_do_not_leak_into_another(evidence, margins, bias, multi_label):
    learned = {"a": bias, "b": -bias, "c": 1.0, "z": 5.0}
    plain = scores_of(FLAT, evidence, margins, multi_label=multi_label)
    assert scores_of(FLAT, evidence, margins, label_biases=learned, multi_label=multi_label) == plain


def test_a_bias_of_a_nested_label_is_named_by_its_path():
    tree = LabelSet.parse({"x": ["a", "b"]})
    even = scores_of(tree, np.zeros(3), np.zeros(3), label_biases={"x": 0.0, "a": 3.0, "b": 0.0})
    assert even[0].score == even[1].score
    biases = {"x": 0.0, "x > a": 3.0, "x > b": 0.0}
    assert scores_of(tree, np.zeros(3), np.zeros(3), label_biases=biases)[0].score > 0.9


@given(numbers, st.floats(-5, 5))
def test_a_none_bias_moves_the_log_odds_of_none(margins, bias):
    found = scores_of(FLAT, np.zeros(4), margins, none_label="none", none_bias=bias)
    assert found[-1].score == pytest.approx(float(sigmoid(bias - margins.max())))
    assert sum(label.score for label in found) == pytest.approx(1.0)


def test_calibrated_thresholds_are_for_labels_by_themselves():
    rule = DecisionRule(multi_label=True, usual_thresholds={"a": 0.9, "z": 0.1}, usual_threshold=0.3)
    assert [rule.threshold_of(label) for label in "ab"] == [0.9, 0.3]
    competing = DecisionRule(usual_thresholds={"a": 0.9}, usual_threshold=0.3)
    assert [competing.threshold_of(label) for label in "ab"] == [0.0, 0.0]
    asked = DecisionRule(multi_label=True, threshold={"a": 0.2}, usual_thresholds={"a": 0.9})
    assert asked.threshold_of("a") == 0.2

"""Fitting on one half of the rows; what is reported of the other half is what the model then gives."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelwise.calibration.fitting import (
    ScoredRows,
    fit_biases,
    fit_scores,
    fit_temperature,
    probabilities,
    score_pairs,
    score_texts,
    split_in_halves,
    thresholds_of,
)
from labelwise.checkpoints.settings import CheckpointSettings
from labelwise.decision import DecisionRule, decide, label_scores
from labelwise.errors import DataError, InputError
from labelwise.evaluation.classification import evaluate_multi_label
from labelwise.labels import LabelSet
from labelwise.results import Classification, Entailment
from labelwise.scores import softmax

RAW = CheckpointSettings()
LABELS = ("a", "b", "c")
logits = st.lists(st.floats(-8, 8), min_size=3, max_size=3)


@dataclass(frozen=True)
class FakeModel:
    """Gives each text logits that are written in it, through the real decision code and settings."""

    checkpoint: SimpleCheckpoint = field(default_factory=lambda: SimpleCheckpoint(RAW))

    def classify(self, texts, labels, *, multi_label=False, none_label=None, hypothesis_template=None):
        settings = self.checkpoint.settings
        temperature = settings.temperature_of("multi_label" if multi_label else "classify")
        rule = DecisionRule(
            multi_label=multi_label,
            none_label=none_label,
            label_biases=settings.label_biases,
            none_bias=settings.none_bias,
        )
        results = []
        for text in texts:
            given_logits = np.array([float(number) for number in text.split()]) / temperature
            scored = label_scores(LabelSet.parse(list(labels)), given_logits, given_logits, rule)
            decision = decide(scored, rule)
            results.append(Classification(text, decision.labels, decision.best, decision.accepted, 1, 1))
        return results

    def entail(self, *, pairs):
        found = []
        for premise, _ in pairs:
            entailment, neutral, contradiction = softmax(np.array([float(word) for word in premise.split()]))
            found.append(Entailment("entailment", entailment, neutral, contradiction))
        return found


@dataclass(frozen=True)
class SimpleCheckpoint:
    settings: CheckpointSettings


def text_of(row):
    return " ".join(repr(float(number)) for number in row)


def some_rows(count=60, *, seed=0, none_share=0.0):
    """Return texts with logits three times too sure, and labels drawn from what they should have said."""
    random = np.random.default_rng(seed)
    honest = random.normal(0.0, 1.5, (count, 3))
    gold = [[LABELS[random.choice(3, p=softmax(row))]] for row in honest]
    for row in range(int(none_share * count)):
        gold[row] = ["none"]
    return [text_of(3.0 * row) for row in honest], gold


def as_table(results, names):
    return np.array(
        [[{e.label: e.score for e in result.labels}[name] for name in names] for result in results]
    )


def with_settings(model, settings):
    return replace(model, checkpoint=SimpleCheckpoint(settings))


@pytest.mark.parametrize("options", [{}, {"multi_label": True}, {"none_label": "none"}])
def test_the_probabilities_reported_are_those_that_the_model_then_gives(options):
    texts, gold = some_rows(none_share=0.3 if options.get("none_label") else 0.0)
    model = FakeModel()
    scored = score_texts(model, texts, gold, labels=LABELS, **options)
    biased = RAW.updated(label_biases={"a": -0.7, "b": 0.2, "c": 0.0, "elsewhere": 9.0})
    fitted = biased.updated(**fit_scores(scored, biased))
    expected = as_table(with_settings(model, fitted).classify(texts, LABELS, **options), scored.columns)
    assert probabilities(scored, fitted) == pytest.approx(expected, abs=1e-9)


def test_what_was_calibrated_before_plays_no_part_in_a_fit():
    texts, gold = some_rows()
    before = with_settings(FakeModel(), RAW.updated(temperature=5.0, label_biases={"a": 3.0}))
    one, other = (score_texts(model, texts, gold, labels=LABELS) for model in (FakeModel(), before))
    assert one.logits == pytest.approx(other.logits)


def test_a_model_that_is_three_times_too_sure_gets_about_temperature_three():
    texts, gold = some_rows(600)
    values = fit_scores(score_texts(FakeModel(), texts, gold, labels=LABELS), RAW)
    assert values["task_temperatures"]["classify"] == pytest.approx(3.0, rel=0.25)


def test_biases_of_other_labels_play_no_part_in_a_fit():
    texts, gold = some_rows()
    scored = score_texts(FakeModel(), texts, gold, labels=LABELS)
    partly = RAW.updated(label_biases={"a": -0.7, "elsewhere": 9.0})
    assert probabilities(scored, partly) == pytest.approx(probabilities(scored, RAW))


@pytest.mark.parametrize("kind", ["classify", "multi_label"])
@pytest.mark.parametrize("is_right", [True, False])
def test_a_temperature_at_the_end_of_the_search_leaves_the_one_in_use(kind, is_right):
    logits = np.array([[4.0, -4.0], [-4.0, 4.0]] * 5)
    holds = logits > 0 if is_right else logits < 0
    gold = holds if kind == "multi_label" else holds.argmax(axis=1)
    scored = ScoredRows(kind, ("a", "b"), logits, gold)
    in_use = RAW.updated(temperature=1.5)
    assert fit_temperature(scored, in_use).is_at_limit
    assert "task_temperatures" not in fit_scores(scored, in_use)


def test_a_temperature_that_is_the_best_already_is_left_as_it_is():
    texts, gold = some_rows(100)
    scored = score_texts(FakeModel(), texts, gold, labels=LABELS)
    once = RAW.updated(**fit_scores(scored, RAW))
    again = fit_temperature(scored, once)
    assert (again.temperature, again.is_useful) == (once.temperature_of("classify"), False)
    assert fit_scores(scored, once) == {}


@settings(deadline=None)
@given(st.lists(logits, min_size=1, max_size=8).map(np.array), st.floats(0.1, 50))
def test_no_temperature_changes_the_best_label(rows, temperature):
    scored = ScoredRows("classify", LABELS, rows, np.zeros(len(rows), dtype=np.int64))
    sharp, soft = (probabilities(scored, RAW.updated(temperature=value)) for value in (1.0, temperature))
    best = sharp.argmax(axis=1)
    assert (soft[np.arange(len(rows)), best] == soft.max(axis=1)).all()


@settings(deadline=None)
@given(st.lists(logits, min_size=2, max_size=12).map(np.array), st.integers(0, 2**31))
def test_fitted_thresholds_never_lower_f1_on_the_fitted_rows(rows, seed):
    holds = np.random.default_rng(seed).random(rows.shape) < 0.4
    holds[0, 0] = True
    scored = ScoredRows("multi_label", LABELS, rows, holds)
    values = fit_scores(scored, RAW)
    fitted = RAW.updated(**values)
    micro_f1 = [
        evaluate_multi_label(holds, probabilities(scored, fitted) >= thresholds, labels=LABELS).micro.f1
        for thresholds in (thresholds_of(fitted, LABELS), thresholds_of(RAW, LABELS))
    ]
    assert micro_f1[0] >= micro_f1[1]


def test_a_none_label_becomes_as_frequent_as_it_is_true():
    texts, gold = some_rows(200, none_share=0.4)
    scored = score_texts(FakeModel(), texts, gold, labels=LABELS, none_label="none")
    fitted = RAW.updated(**fit_scores(scored, RAW))
    assert probabilities(scored, RAW)[:, -1].mean() < 0.2
    assert probabilities(scored, fitted)[:, -1].mean() == pytest.approx(0.4)


def test_a_label_that_is_favoured_in_unlabelled_texts_gets_the_lowest_bias():
    texts = [text_of([2.0, 0.0, number / 10]) for number in range(10)]
    biases = fit_biases(FakeModel(), texts, labels=LABELS, settings=RAW)
    assert min(biases, key=biases.__getitem__) == "a"


def test_pairs_are_fitted_by_the_classes_of_the_model():
    rows = some_rows(300)[0]
    gold = [
        ("entailment", "neutral", "contradiction")[int(np.argmax(list(map(float, row.split()))))]
        for row in rows
    ]
    gold[:100] = ["neutral"] * 100
    scored = score_pairs(FakeModel(), [(row, "x") for row in rows], gold)
    assert scored.columns == ("entailment", "neutral", "contradiction")
    assert fit_scores(scored, RAW)["task_temperatures"]["entail"] > 1.5


@settings(deadline=None)
@given(st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=40), st.integers(0, 5))
def test_no_input_is_both_fitted_and_judged(inputs, seed):
    if len(set(inputs)) < 2:
        return
    fitted, held_out = split_in_halves(inputs, ["same"] * len(inputs), seed=seed)
    assert sorted([*fitted, *held_out]) == list(range(len(inputs)))
    assert not {inputs[place] for place in fitted} & {inputs[place] for place in held_out}


@settings(deadline=None)
@given(st.lists(st.sampled_from("xyz"), min_size=2, max_size=40), st.integers(0, 5))
def test_each_stratum_is_in_both_halves_in_equal_parts(strata, seed):
    halves = split_in_halves(range(len(strata)), strata, seed=seed)
    for stratum in set(strata):
        counts = [sum(strata[place] == stratum for place in half) for half in halves]
        assert abs(counts[0] - counts[1]) <= 1


def test_another_seed_is_another_split_and_the_same_seed_the_same():
    first, again, other = (
        split_in_halves(range(40), ["x"] * 40, seed=seed)[0].tolist() for seed in (1, 1, 2)
    )
    assert first == again != other


def test_rows_that_cannot_be_used_are_named():
    model = FakeModel()
    with pytest.raises(DataError, match="row 2: 'd' is not one of a, b, c"):
        score_texts(model, ["0 0 0"] * 2, [["a"], ["d"]], labels=LABELS)
    with pytest.raises(DataError, match="row 1 has 2 labels"):
        score_texts(model, ["0 0 0"], [["a", "b"]], labels=LABELS)
    with pytest.raises(DataError, match="'not_entailment' is not one of"):
        score_pairs(model, [("0 0 0", "x")], ["not_entailment"])
    with pytest.raises(InputError, match="at least 2"):
        score_texts(model, ["0"], [["a"]], labels=["a"])
    with pytest.raises(InputError, match="none_label 'a'"):
        score_texts(model, ["0 0 0"], [["a"]], labels=LABELS, none_label="a")

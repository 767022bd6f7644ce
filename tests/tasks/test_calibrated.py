"""What was calibrated reaches every verb that gives scores, and nothing else changes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from labelwise.scores import sigmoid, softmax

LABELS = ["card", "parcel", "other"]
LOGITS = [2.0, 0.5, -1.0]


@pytest.fixture
def model_with(fake_model, tmp_path):
    """Return a model that gives every pair the same logits, with these settings beside it."""

    def make(**settings):
        (tmp_path / "labelwise.json").write_text(json.dumps(settings))
        return fake_model(lambda row: LOGITS)

    return make


@pytest.fixture
def reader_with(fake_model, tmp_path):
    """Return a reader that finds a last word 2 logits more likely than "no answer", with these settings."""

    def rule(row):
        logits = np.full(len(row), -20.0)
        logits[[0, -2]] = 0.0, 1.0
        return logits, logits

    def make(**settings):
        (tmp_path / "labelwise.json").write_text(json.dumps(settings))
        return fake_model(rule, is_reader=True)

    return make


def scores_of(result):
    return {entry.label: entry.score for entry in result.labels}


def test_each_kind_of_score_has_its_own_temperature(model_with):
    model = model_with(temperature=9.0, task_temperatures={"multi_label": 3.0, "entail": 2.0})
    alone = model.classify("card", LABELS, multi_label=True)
    assert scores_of(alone)["card"] == pytest.approx(float(sigmoid(np.array(3.0 / 3.0))))
    assert model.entail("card", "x").entailment == pytest.approx(softmax(np.array(LOGITS) / 2.0)[0])
    assert model.rank("card", ["x"])[0].score == pytest.approx(softmax(np.array(LOGITS) / 2.0)[0])
    one_label = model.classify("card", ["card"])
    assert one_label.best.score == pytest.approx(float(sigmoid(np.array(3.0 / 9.0))))


def test_label_biases_are_added_after_the_temperature_in_every_mode(model_with):
    model = model_with(
        temperature=2.0, label_biases={"card": 1.0, "parcel": 0.0, "other": 0.0, "elsewhere": 9.0}
    )
    competing = model.classify("card", LABELS)
    assert list(scores_of(competing).values()) == pytest.approx(softmax(np.array([1.0, 0.0, 0.0])).tolist())
    alone = model.classify("card", LABELS, multi_label=True)
    assert scores_of(alone)["card"] == pytest.approx(float(sigmoid(np.array(1.5 + 1.0))))
    assert scores_of(alone)["other"] == pytest.approx(float(sigmoid(np.array(1.5))))


def test_a_default_threshold_serves_labels_by_themselves_and_gives_way_to_what_is_asked(model_with):
    model = model_with(default_threshold=0.96)
    assert scores_of(model.classify("card", LABELS, multi_label=True))["card"] == pytest.approx(
        0.9526, abs=1e-4
    )
    assert model.classify("card", LABELS, multi_label=True).accepted == ()
    assert len(model.classify("card", LABELS, multi_label=True, threshold=0.9).accepted) == 3
    assert model.classify("card", LABELS).best is not None


def test_a_none_bias_decides_when_none_of_the_labels_wins(model_with):
    assert model_with().classify("card", LABELS, none_label="none").best.label == "card"
    assert model_with(none_bias=3.0).classify("card", LABELS, none_label="none").best.label == "none"


def test_biases_of_labels_that_are_not_asked_for_change_not_a_bit(model_with):
    asked = {"multi_label": True}, {}, {"none_label": "none"}
    plain = [model_with().classify("card", LABELS, **options) for options in asked]
    model = model_with(label_biases={"elsewhere": 5.0}, thresholds={"elsewhere": 0.9})
    assert [model.classify("card", LABELS, **options) for options in asked] == plain


def test_biases_learned_with_other_labels_do_not_leak_into_these(model_with):
    learned = {"card": 2.0, "parcel": -2.0, "invoice": 0.5}
    plain, biased = model_with(), model_with(label_biases=learned)
    assert biased.classify("card", LABELS) == plain.classify("card", LABELS)
    scores = scores_of(biased.classify("card", ["card", "parcel"]))
    assert scores["card"] > scores["parcel"]


def test_a_null_threshold_moves_the_answers_scores_and_gives_way_to_what_is_asked(reader_with):
    plain, strict = reader_with(), reader_with(null_threshold=-3.0)
    question = "who is it?", "late card"
    assert plain.answer(*question).text == "card"
    assert plain.answer(*question).null_score == pytest.approx(float(sigmoid(np.array(-2.0))), abs=1e-6)
    refused = strict.answer(*question)
    assert not refused.is_answer
    assert refused.score == refused.null_score == pytest.approx(float(sigmoid(np.array(1.0))), abs=1e-6)
    assert strict.answer(*question, null_threshold=0.0) == plain.answer(*question)
    assert strict.answer(*question, no_answer=False).text == "card"


def test_a_null_threshold_of_0_changes_not_a_bit(reader_with):
    asked = {}, {"top_k": 2}, {"no_answer": False}, {"null_threshold": 1.5}
    plain = [reader_with().answer("who is it?", "late card", **options) for options in asked]
    zero = reader_with(null_threshold=0.0)
    assert [zero.answer("who is it?", "late card", **options) for options in asked] == plain

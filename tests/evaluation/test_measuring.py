"""Each set of a protocol is measured by its task, as it says."""

import pytest

from labelwise.errors import TaskNotSupportedError
from labelwise.evaluation.labelled import LabelledPair, LabelledText
from labelwise.evaluation.measuring import measure, scored_labels
from labelwise.evaluation.protocols import EvaluationSet
from labelwise.results import Classification, Entailment, LabelScore


class Scripted:
    """Gives every label the score that a rule says, and remembers how it was asked."""

    tasks = frozenset({"classify", "entail"})

    def __init__(self, rule=lambda text, label: float(label in text)):
        self.rule = rule
        self.asked = {}

    def classify(self, texts, labels, **settings):
        self.asked = {"labels": labels, **settings}
        return [
            Classification(
                text,
                tuple(LabelScore(label, self.rule(text, label) / len(labels)) for label in labels),
                None,
                (),
                num_tokens=1,
                windows_read=1,
            )
            for text in texts
        ]

    def entail(self, *, pairs, **settings):
        return [Entailment("neutral", 0.2, 0.5, 0.3) for _ in pairs]


def test_a_template_given_by_the_caller_goes_before_that_of_the_set():
    model, rows = Scripted(), [LabelledText("a", "a"), LabelledText("b", "b")]
    one = EvaluationSet(name="s", template="about {}")
    measure(model, one, rows)
    assert model.asked["hypothesis_template"] == "about {}"
    measure(model, one, rows, classify_settings={"hypothesis_template": "{}!", "score_mode": "entail_logit"})
    assert model.asked["hypothesis_template"] == "{}!"
    assert model.asked["score_mode"] == "entail_logit"


def test_hypotheses_are_read_in_place_of_names():
    model = Scripted()
    one = EvaluationSet(name="s", labels={"a": "It is a.", "b": "It is b."})
    assert measure(model, one, [LabelledText("a", "a")]).measures["accuracy"] == 1.0
    assert model.asked["labels"] == {"a": "It is a.", "b": "It is b."}


def test_texts_of_excluded_classes_are_left_out_and_counted_beside():
    rows = [LabelledText("a", "a"), LabelledText("b", "b"), LabelledText("ab", "odd"), LabelledText("a", "b")]
    one = EvaluationSet(name="s", labels={"a": "a", "b": "b"}, excluded=("odd",))
    found = measure(Scripted(), one, rows)
    assert found.measures["accuracy"] == pytest.approx(2 / 3)
    assert found.measures["accuracy_all_texts"] == pytest.approx(2 / 4)
    assert found.num_rows == 4
    assert found.pairs_per_s == pytest.approx(2 * found.texts_per_s)


def test_labels_that_occur_are_the_closed_set_where_none_is_given():
    rows = [LabelledText("t", "b"), LabelledText("t", "a"), LabelledText("t", "odd")]
    assert list(scored_labels(EvaluationSet(name="s", excluded=("odd",)), rows)) == ["a", "b"]


def test_a_binary_set_puts_neutral_and_contradiction_together():
    rows = [LabelledPair("p", "h", "contradiction")]
    three = measure(Scripted(), EvaluationSet(name="s", task="entail"), rows)
    two = measure(Scripted(), EvaluationSet(name="s", task="entail", is_binary=True), rows)
    assert three.measures["accuracy"] == 0.0
    assert two.measures["accuracy"] == 1.0


def test_a_task_that_the_model_cannot_do_is_refused_with_those_it_can():
    with pytest.raises(TaskNotSupportedError, match="cannot rank: it can classify, entail"):
        measure(Scripted(), EvaluationSet(name="s", task="rank"), [])

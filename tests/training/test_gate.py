"""A smaller form ships only when it answers like the model it was made from, on every probe."""

from pathlib import Path

import pytest

from labelwise.errors import InputError
from labelwise.results import Classification, Entailment, LabelScore
from labelwise.training import gate as gating
from labelwise.training.gate import GateReport, entail_probe, label_probe

PAIRS = [("late", "parcel"), ("card", "good")] * 3
TEXTS = ["late", "card", "good"]


class Judge:
    """A model that gives each pair and each text the answer at hand."""

    def __init__(self, answers):
        self.answers = answers

    def entail(self, *, pairs):
        return [Entailment(label, entailment=1.0) for label in self.answers[: len(pairs)]]

    def classify(self, texts, *, labels):
        return [
            Classification(text, (LabelScore(answer, 1.0),), None, (), 1, 1)
            for text, answer in zip(texts, self.answers, strict=False)
        ]


def test_a_form_that_answers_otherwise_is_removed(tmp_path, monkeypatch):
    (tmp_path / "model.onnx").write_bytes(b"bad")
    judges = {"float": Judge(["neutral"] * 6), tmp_path.name: Judge(["neutral"] * 5 + ["entailment"])}
    monkeypatch.setattr(gating, "load", lambda folder: judges[folder.name])
    with pytest.raises(InputError, match=r"the 8-bit form agrees on 83\.33% of 6 answers"):
        gating.gate(Path("float"), tmp_path, [entail_probe("pairs", PAIRS, ["neutral"] * 6)])
    assert not (tmp_path / "model.onnx").exists()


def test_all_probes_are_judged_together_and_each_is_reported(tmp_path, monkeypatch):
    (tmp_path / "model.onnx").write_bytes(b"bad")
    judges = {"float": Judge(["a", "b", "a"] * 2), tmp_path.name: Judge(["a", "b", "b"] * 2)}
    monkeypatch.setattr(gating, "load", lambda folder: judges[folder.name])
    agreeing = label_probe("two", TEXTS[:2], ["a", "b"], ["a", "b"])
    differing = label_probe("three", TEXTS, ["a", "b"], ["a", "b", "a"])
    alone, whole = gating.gate(Path("float"), tmp_path, [agreeing])
    assert (alone.agreement, whole.agreement) == (1.0, 1.0)
    with pytest.raises(InputError, match=r"agrees on 80\.00% of 5 answers"):
        gating.gate(Path("float"), tmp_path, [agreeing, differing])


def test_a_form_that_answers_the_same_passes(tmp_path, monkeypatch):
    monkeypatch.setattr(gating, "load", lambda folder: Judge(["neutral"] * 6))
    gold = ["neutral"] * 3 + ["entailment"] * 3
    reports = gating.gate(Path("float"), tmp_path, [entail_probe("pairs", PAIRS, gold)])
    assert reports == [GateReport("pairs", 1.0, 0.5, 0.5, 6), GateReport("all probes", 1.0, 0.5, 0.5, 6)]

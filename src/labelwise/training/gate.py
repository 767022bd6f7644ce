"""What a smaller form of a model must show before it may ship: it answers like the model it was made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from labelwise.errors import InputError
from labelwise.loading import load
from labelwise.model import Model

__all__ = ["GateReport", "Probe", "entail_probe", "gate", "label_probe"]

MIN_AGREEMENT = 0.99
MAX_ACCURACY_DROP = 0.005


@dataclass(frozen=True, slots=True)
class Probe:
    """Questions with known answers, put to both forms of a model.

    Attributes:
        name: what is asked.
        gold: the right answers.
        ask: gives a model's answers, in the same order.
    """

    name: str
    gold: Sequence[str]
    ask: Callable[[Model], list[str]]


def entail_probe(name: str, pairs: Sequence[tuple[str, str]], gold: Sequence[str]) -> Probe:
    """Ask for the likeliest class of each (premise, hypothesis)."""
    return Probe(name, gold, lambda model: [found.label for found in model.entail(pairs=pairs)])


def label_probe(name: str, texts: Sequence[str], labels: Sequence[str], gold: Sequence[str]) -> Probe:
    """Ask for the best label of each text."""
    return Probe(
        name,
        gold,
        lambda model: [found.labels[0].label for found in model.classify(texts, labels=list(labels))],
    )


@dataclass(frozen=True, slots=True)
class GateReport:
    """How the smaller form answers beside the float32 model that it was made from.

    Attributes:
        name: of the probe.
        agreement: share of questions with the same answer.
        accuracy: of the smaller form.
        float_accuracy: of the float32 model.
        num_asked: questions with known answers.
    """

    name: str
    agreement: float
    accuracy: float
    float_accuracy: float
    num_asked: int

    @property
    def is_passed(self) -> bool:
        """True when the smaller form may ship."""
        is_close = self.agreement >= MIN_AGREEMENT
        return is_close and self.float_accuracy - self.accuracy <= MAX_ACCURACY_DROP

    @classmethod
    def over_all(cls, reports: Sequence[GateReport]) -> GateReport:
        """Join the reports of several probes, each answer counting alike."""
        total = sum(report.num_asked for report in reports)

        def mean(name: str) -> float:
            return float(sum(getattr(report, name) * report.num_asked for report in reports)) / total

        shares = {name: mean(name) for name in ("agreement", "accuracy", "float_accuracy")}
        return cls("all probes", **shares, num_asked=total)


def gate(model_dir: Path, bundle_dir: Path, probes: Sequence[Probe]) -> list[GateReport]:
    """Compare a smaller form with its float32 model on all probes together; a form that fails is removed.

    A single set with many near ties may agree less: its report says so.

    Returns:
        A report for each probe, and one over all.

    Raises:
        InputError: less than 99 % of the answers agree, or accuracy falls by more than half a point.
    """
    exact, small = load(model_dir), load(bundle_dir)
    reports = []
    for probe in probes:
        expected, found = probe.ask(exact), probe.ask(small)
        report = GateReport(
            probe.name,
            agreement=_share_equal(expected, found),
            accuracy=_share_equal(found, probe.gold),
            float_accuracy=_share_equal(expected, probe.gold),
            num_asked=len(probe.gold),
        )
        reports.append(report)
    whole = GateReport.over_all(reports)
    if not whole.is_passed:
        (bundle_dir / "model.onnx").unlink()
        raise InputError(
            f"the 8-bit form agrees on {whole.agreement:.2%} of {whole.num_asked:,} answers and its accuracy "
            f"is {whole.accuracy:.4f} against {whole.float_accuracy:.4f}; it is not kept"
        )
    return [*reports, whole]


def _share_equal(one: Sequence[str], other: Sequence[str]) -> float:
    return sum(left == right for left, right in zip(one, other, strict=True)) / len(one)

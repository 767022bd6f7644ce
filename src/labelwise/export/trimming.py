"""Vocabulary trimming before an export, and what it does to the model's decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from labelwise.distillation.vocabulary import TrimReport, read_texts, trim_vocabulary
from labelwise.export.sentences import LABELS, make_passages
from labelwise.loading import load
from labelwise.model import Model

__all__ = ["TrimEffect", "trim_for_export"]

_HELD_OUT_EVERY: Final = 10
_COMPARED_TEXTS: Final = 200


@dataclass(frozen=True, slots=True)
class TrimEffect:
    """What was cut, and what changed.

    Attributes:
        report: rows and bytes before and after; the held-out texts are every tenth of the corpus.
        num_compared: held-out texts that both models decided on.
        agreement: share of these on which they decide alike.
        mean_score_difference: of the best score, over these.
    """

    report: TrimReport
    num_compared: int
    agreement: float
    mean_score_difference: float

    def to_dict(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        own = asdict(self)
        del own["report"]
        return {**self.report.to_dict(), **own}

    def lines(self) -> list[str]:
        """Return the effect for people."""
        report = self.report
        return [
            f"vocabulary: {report.rows_before:,} -> {report.rows_after:,} tokens, weights and tokenizer "
            f"{report.bytes_before / 1e6:.1f} -> {report.bytes_after / 1e6:.1f} MB",
            f"on {self.num_compared} texts held out of the corpus: "
            f"{100 * (report.held_out_changed_share or 0.0):.1f} % are read as other tokens, "
            f"{100 * self.agreement:.1f} % are decided alike (scores differ by "
            f"{self.mean_score_difference:.3f})",
        ]


def trim_for_export(model: Model, corpus: Path, *, output: Path) -> tuple[Model, TrimEffect]:
    """Write a trimmed copy of a model, load it, and measure it on texts that it was not trimmed for.

    Labels and made-up sentences of the gate are kept readable, too.

    Raises:
        CheckpointError: the tokenizer or family cannot be trimmed.
        DataError: the corpus cannot be read, or the copy cannot be written.
    """
    texts = read_texts(corpus)
    held_out = texts[::_HELD_OUT_EVERY]
    kept = [text for place, text in enumerate(texts) if place % _HELD_OUT_EVERY] or texts
    usual = [*LABELS, *(part for pair in make_passages(50) for part in pair)]
    report = trim_vocabulary(model.checkpoint.folder, [*kept, *usual], output=output, held_out=held_out)
    trimmed = load(output, backend="torch", device="cpu")
    compared = held_out[:_COMPARED_TEXTS]
    before, after = _decisions(model, compared), _decisions(trimmed, compared)
    alike = [old[0] == new[0] for old, new in zip(before, after, strict=True)]
    differences = [abs(old[1] - new[1]) for old, new in zip(before, after, strict=True)]
    return trimmed, TrimEffect(report, len(compared), float(np.mean(alike)), float(np.mean(differences)))


def _decisions(model: Model, texts: Sequence[str]) -> list[tuple[str, float]]:
    """Return what a model says of texts, with its score, by the first of its verbs."""
    if "classify" in model.tasks:
        found = model.classify(list(texts), labels=list(LABELS[:8]))
        return [(entry.labels[0].label, entry.labels[0].score) for entry in found]
    answers = model.answer(pairs=[("What happened?", text) for text in texts])
    return [(answer.text, answer.score) for answer in answers]

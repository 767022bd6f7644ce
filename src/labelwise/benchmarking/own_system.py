"""labelwise itself, on any of its backends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelwise.benchmarking.specs import AskSettings, SystemSpec
from labelwise.loading import load
from labelwise.model import Model
from labelwise.results import Classification

__all__ = ["LabelwiseSystem", "score_table"]


@dataclass(frozen=True, slots=True)
class LabelwiseSystem:
    """A loaded model; long texts are cut as the others cut them, so that all do the same work."""

    model: Model
    hypothesis_template: str | None

    @classmethod
    def open(cls, spec: SystemSpec, settings: AskSettings) -> LabelwiseSystem:
        """Load the model on the backend and in the precision that the spec names."""
        model = load(
            spec.model or settings.model,
            revision=None if spec.model else settings.revision,
            backend=spec.backend,
            device=settings.device if spec.backend == "torch" else "auto",
            dtype=spec.dtype,
            threads=settings.threads,
            batch_tokens=settings.batch_tokens,
        )
        return cls(model, settings.hypothesis_template)

    def score(self, texts: Sequence[str], labels: Sequence[str]) -> NDArray[np.float64]:
        """Return scores; see `labelwise.benchmarking.systems.System.score`."""
        results = self.model.classify(
            list(texts), list(labels), hypothesis_template=self.hypothesis_template, truncation="truncate"
        )
        return score_table(results, labels)


def score_table(results: Sequence[Classification], labels: Sequence[str]) -> NDArray[np.float64]:
    """Put results' scores in the order of the labels, shape (results, labels)."""
    by_label = [{label.label: label.score for label in result.labels} for result in results]
    return np.array([[scores[label] for label in labels] for scores in by_label], dtype=np.float64)

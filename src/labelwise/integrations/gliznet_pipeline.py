"""GliZNet's published pipeline interface, for people who switch.

>>> from labelwise.integrations.gliznet_pipeline import ZeroShotClassificationPipeline
>>> pipeline = ZeroShotClassificationPipeline.from_pretrained("bundled")
>>> result = pipeline("My card was charged twice", ["billing", "delivery"])
>>> [entry.label for entry in result.labels]
['billing', 'delivery']
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, overload

from labelwise.errors import InputError
from labelwise.labels import label_sets
from labelwise.loading import load
from labelwise.model import Model
from labelwise.results import Classification, LabelScore

__all__ = ["ClassificationType", "PipelineResult", "ZeroShotClassificationPipeline"]

ClassificationType = Literal["multi-label", "multi-class"]


@dataclass(frozen=True, slots=True)
class PipelineResult:
    """One text with its labels in the order in which they were given, each with ``label`` and ``score``."""

    text: str
    labels: list[LabelScore]


class ZeroShotClassificationPipeline:
    """Calls ``Model.classify`` and returns objects of the published shape.

    Every label comes back, also beyond ``max_labels``, where the published pipeline drops some.
    """

    def __init__(self, model: Model, *, classification_type: ClassificationType = "multi-label") -> None:
        """Take a loaded model over.

        Args:
            model: what ``labelwise.load`` gave; any that classifies.
            classification_type: "multi-label" judges each label by itself (sigmoid); in "multi-class" the
                labels of a text compete (softmax).

        Raises:
            InputError: there is no such classification type.
        """
        if classification_type not in get_args(ClassificationType):
            raise InputError(
                f"classification_type {classification_type!r} is not one of "
                f"{', '.join(get_args(ClassificationType))}"
            )
        self._model = model
        self._is_multi_label = classification_type == "multi-label"

    @classmethod
    def from_pretrained(
        cls, ref: str | Path, *, classification_type: ClassificationType = "multi-label", **settings: Any
    ) -> ZeroShotClassificationPipeline:
        """Load a checkpoint; ``settings`` go to ``labelwise.load``."""
        return cls(load(ref, **settings), classification_type=classification_type)

    # A str is a Sequence[str] too; the first signature that fits counts.
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, text: str, labels: Sequence[str], *, threshold: float | None = None
    ) -> PipelineResult: ...
    @overload
    def __call__(
        self,
        text: Sequence[str],
        labels: Sequence[str] | Sequence[Sequence[str]],
        *,
        threshold: float | None = None,
    ) -> list[PipelineResult]: ...

    def __call__(
        self,
        text: str | Sequence[str],
        labels: Sequence[str] | Sequence[Sequence[str]],
        *,
        threshold: float | None = None,
    ) -> PipelineResult | list[PipelineResult]:
        """Classify one text or many.

        Args:
            text: one text, or a list.
            labels: labels for all texts, or a list with one list per text.
            threshold: leaves labels with a lower score out; None keeps all.

        Raises:
            InputError: a text is blank, or labels are doubled or missing.
        """
        if threshold is not None and not 0.0 <= threshold <= 1.0:
            raise InputError(f"threshold must be between 0 and 1, got {threshold!r}")
        texts = [text] if isinstance(text, str) else list(text)
        sets = label_sets(labels, num_texts=len(texts))
        names = [label_set.names for label_set in sets]
        found = self._model.classify(texts, names, multi_label=self._is_multi_label)
        results = [
            _in_order(result, own_names, threshold) for result, own_names in zip(found, names, strict=True)
        ]
        return results[0] if isinstance(text, str) else results


def _in_order(result: Classification, names: Sequence[str], threshold: float | None) -> PipelineResult:
    by_name = {entry.label: entry for entry in result.labels}
    least = 0.0 if threshold is None else threshold
    return PipelineResult(result.text, [by_name[name] for name in names if by_name[name].score >= least])

"""Which model families have a graph builder; importing this loads nothing else."""

from __future__ import annotations

from typing import Final, Literal

__all__ = ["HAS_BUILDER", "HeadKind", "WeightFormat"]

HeadKind = Literal["sequence-classification", "question-answering"]
WeightFormat = Literal["float32", "int8"]

HAS_BUILDER: Final[frozenset[str]] = frozenset({"deberta-v2", "bert", "roberta", "xlm-roberta", "camembert"})

"""Which model families have a graph builder; importing this loads nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from labelwise.graphs.nested import encoder_config_of

__all__ = ["HAS_BUILDER", "HeadKind", "WeightFormat", "has_builder"]

HeadKind = Literal["sequence-classification", "question-answering", "joint-labels", "multitask"]
WeightFormat = Literal["float32", "int8"]

HAS_BUILDER: Final[frozenset[str]] = frozenset({"deberta-v2", "bert", "roberta", "xlm-roberta", "camembert"})


def has_builder(config: Mapping[str, Any]) -> bool:
    """Tell whether there is a builder for a model, or for the encoder inside a joint one."""
    return encoder_config_of(config).get("model_type") in HAS_BUILDER

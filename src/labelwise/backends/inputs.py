"""Check that a graph takes and gives what a head needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labelwise.backends.heads import HeadOutputs
from labelwise.errors import BackendError

__all__ = ["KNOWN_INPUTS", "check_inputs", "check_outputs"]

KNOWN_INPUTS = ("input_ids", "attention_mask", "token_type_ids", "label_positions", "text_mask")


def check_inputs(names: Sequence[str]) -> None:
    """Refuse a graph with an input that no batch can fill, or without the ids.

    Raises:
        BackendError: naming the input.
    """
    unknown = [name for name in names if name not in KNOWN_INPUTS]
    if unknown:
        raise BackendError(
            f"the graph has an unknown input {unknown[0]!r}: only {', '.join(KNOWN_INPUTS)} are given to one"
        )
    for needed in KNOWN_INPUTS[:2]:
        if needed not in names:
            raise BackendError(f"the graph has no input {needed!r}: export it again with it")


def check_outputs(shapes: Mapping[str, Sequence[Any]], head: HeadOutputs) -> None:
    """Refuse a graph whose outputs are not the head's.

    Args:
        shapes: Output name to shape; a dimension that is not a fixed number may be a name or None.
        head: What is needed.

    Raises:
        BackendError: naming the output.
    """
    missing = [name for name in head.names if name not in shapes]
    if missing:
        raise BackendError(
            f"the graph has no output {missing[0]!r}, it gives {', '.join(shapes)}: it is not the "
            f"{head.kind} model that config.json describes"
        )
    if head.num_classes is None:
        return
    classes = shapes["logits"][-1] if shapes["logits"] else None
    if isinstance(classes, int) and classes != head.num_classes:
        raise BackendError(
            f"the graph gives {classes} classes and config.json names {head.num_classes}: they belong to "
            "different models"
        )

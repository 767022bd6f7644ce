"""Check that a graph takes and gives what a head needs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from labelwise.backends.heads import HeadOutputs
from labelwise.errors import BackendError

__all__ = ["KNOWN_INPUTS", "check_inputs", "check_outputs", "fillable_inputs"]

KNOWN_INPUTS = (
    "input_ids",
    "attention_mask",
    "segment_ids",
    "token_type_ids",
    "position_ids",
    "label_positions",
    "text_mask",
)
# What tells padding from tokens: either of them.
_MASKS = ("attention_mask", "segment_ids")
# Other models count positions by rules of their own; these are the multi-task model's.
_WITH_SEGMENTS = "position_ids"


def fillable_inputs(names: Collection[str]) -> tuple[str, ...]:
    """Return which of a network's inputs a batch fills, in a fixed order.

    >>> fillable_inputs(["attention_mask", "input_ids", "position_ids"])
    ('input_ids', 'attention_mask')
    """
    has_segments = "segment_ids" in names
    return tuple(name for name in KNOWN_INPUTS if name in names and (has_segments or name != _WITH_SEGMENTS))


def check_inputs(names: Sequence[str]) -> None:
    """Refuse a graph with an input that no batch can fill, or without the ids.

    Raises:
        BackendError: naming the input.
    """
    filled = fillable_inputs(names)
    unknown = [name for name in names if name not in filled]
    if unknown:
        raise BackendError(
            f"the graph has an unknown input {unknown[0]!r}: only {', '.join(KNOWN_INPUTS)} are given to one"
        )
    for needed in (("input_ids",), _MASKS):
        if not set(needed) & set(names):
            raise BackendError(f"the graph has no input {needed[0]!r}: export it again with it")


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
    name = "entail_logits" if head.kind == "multitask" else "logits"
    classes = shapes[name][-1] if shapes[name] else None
    if isinstance(classes, int) and classes != head.num_classes:
        raise BackendError(
            f"the graph gives {classes} classes and config.json names {head.num_classes}: they belong to "
            "different models"
        )

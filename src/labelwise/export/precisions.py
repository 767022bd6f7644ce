"""From a float32 graph to one in a precision, but for the parts that are to stay."""

from __future__ import annotations

import onnx

from labelwise.export.half import in_float16, position_arithmetic
from labelwise.export.narrow_weights import in_bfloat16, in_few_bits
from labelwise.export.parts import HEAD, parts_of_nodes
from labelwise.export.request import Artefact
from labelwise.export.surgery import without_notes, without_stored_transposes

__all__ = ["in_precision", "parts_that_change"]


def in_precision(
    model: onnx.ModelProto, artefact: Artefact, *, kept: frozenset[str] = frozenset()
) -> onnx.ModelProto:
    """Return the graph of an ONNX or OpenVINO file; ``kept`` parts stay in float32.

    OpenVINO rounds to float16 itself when it writes its file, so it gets the float32 graph.
    """
    return without_notes(_narrowed(without_stored_transposes(model), artefact, kept))


def _narrowed(plain: onnx.ModelProto, artefact: Artefact, kept: frozenset[str]) -> onnx.ModelProto:
    if artefact.kind == "openvino":
        if artefact.precision == "int8":
            return in_few_bits(plain, bits=8, form="widened", kept=kept)
        return plain
    if artefact.precision == "int8":
        return in_few_bits(plain, bits=8, kept=kept)
    if artefact.precision == "bf16":
        return in_bfloat16(plain, kept=kept)
    if artefact.precision == "q4":
        return in_few_bits(plain, bits=4, kept=kept)
    if artefact.precision == "q4f16":
        plain = in_few_bits(plain, bits=4, kept=kept)
    if artefact.precision in ("fp16", "q4f16"):
        return in_float16(plain, kept=kept, float32_nodes=position_arithmetic(plain))
    return plain


def parts_that_change(model: onnx.ModelProto, artefact: Artefact) -> tuple[str, ...]:
    """List the parts whose precision can be chosen, in the graph's order; none where there is no choice."""
    if artefact.kind == "safetensors" or artefact.precision == "fp32":
        return ()
    if artefact.kind == "openvino" and artefact.precision == "fp16":
        return ()
    parts = dict.fromkeys(parts_of_nodes(without_stored_transposes(model)).values())
    is_whole = artefact.precision in ("fp16", "q4f16", "bf16")
    return tuple(part for part in parts if is_whole or part != HEAD)

"""The activation functions that transformers names, as nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from labelwise.graphs.nodes import GraphWriter

__all__ = ["EXACT_GELU", "KNOWN_ACTIVATIONS", "write_activation"]

EXACT_GELU: Final = frozenset({"gelu", "gelu_python"})
_TANH_GELU: Final = frozenset({"gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu_python_tanh"})
_PLAIN: Final = {"relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid"}
_SWISH: Final = frozenset({"silu", "swish"})

KNOWN_ACTIVATIONS: Final = EXACT_GELU | _TANH_GELU | _SWISH | _PLAIN.keys()


def write_activation(writer: GraphWriter, value: str, activation: str) -> str:
    """Apply an activation by its name in config.json."""
    if activation in EXACT_GELU:
        return writer.node("Gelu", value)
    if activation in _TANH_GELU:
        return writer.node("Gelu", value, approximate="tanh")
    if activation in _SWISH:
        return writer.node("Mul", value, writer.node("Sigmoid", value))
    return writer.node(_PLAIN[activation], value)

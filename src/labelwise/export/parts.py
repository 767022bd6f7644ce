"""The parts of a graph, such as one layer's attention: what precision is chosen for."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Final

import onnx

from labelwise.export.surgery import attribute_of

__all__ = ["EMBEDDINGS", "HEAD", "is_rows_lookup", "part_of_weight", "parts_of_nodes", "sizes_of"]

EMBEDDINGS: Final = "embeddings"
HEAD: Final = "head"
# "bert.encoder.layer.3.attention.self.query.weight", "model.decoder.layers.0.fc1.weight", "layers.2.mlp.Wi"
_LAYER: Final = re.compile(r"(?:^|\.)((?:(?:encoder|decoder)\.)?layers?\.\d+)\.(\w+)")
_SCOPES: Final = "pkg.torch.onnx.name_scopes"
# Smaller constants are settings of the arithmetic (frequencies, factors), not weights.
_WEIGHT_FROM_ITEMS: Final = 256


def part_of_weight(name: str) -> str | None:
    """Return the part that a stored tensor's name tells; None where it tells nothing."""
    found = _LAYER.search(name)
    if found:
        return f"{found[1]}.{found[2]}"
    if "embed" in name:
        return EMBEDDINGS
    return HEAD if "." in name else None


def parts_of_nodes(model: onnx.ModelProto) -> dict[str, str]:
    """Return the part of each node, by its first output's name.

    A node belongs to the part whose weight it reads; one that reads none belongs with the weight that was
    read last before it, since nodes stand in the order in which they run.
    """
    weights = sizes_of(model)
    part, parts = EMBEDDINGS, {}
    for node in model.graph.node:
        part = _named_part(node, weights) or part
        if node.output:
            parts[node.output[0]] = part
    return parts


def sizes_of(model: onnx.ModelProto) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the stored tensors that are weights, by name."""
    shapes = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    return {
        name: shape
        for name, shape in shapes.items()
        if len(shape) > 1 and _items(shape) >= _WEIGHT_FROM_ITEMS
    }


def is_rows_lookup(node: onnx.NodeProto, weights: Mapping[str, tuple[int, ...]]) -> bool:
    """Tell whether a node takes rows, along any axis but the last, of a stored table."""
    if node.op_type != "Gather" or node.input[0] not in weights:
        return False
    rank = len(weights[node.input[0]])
    axis = attribute_of(node, "axis") or 0
    return bool(axis % rank < rank - 1)


def _named_part(node: onnx.NodeProto, weights: Mapping[str, tuple[int, ...]]) -> str | None:
    read = next((name for name in node.input if name in weights), None)
    if read is None:
        return None
    named = part_of_weight(read)
    if named is not None:
        return named
    return _scoped_part(node)


def _scoped_part(node: onnx.NodeProto) -> str | None:
    """Read the module's name out of what torch's exporter notes on a node, where it renamed the weight."""
    noted = next((entry.value for entry in node.metadata_props if entry.key == _SCOPES), "[]")
    try:
        scopes = ast.literal_eval(noted)
    except (SyntaxError, ValueError):
        return None
    modules = [str(scope) for scope in scopes] if isinstance(scopes, list) else []
    return part_of_weight(f"{max(modules, key=len)}.weight") if modules else None


def _items(shape: tuple[int, ...]) -> int:
    items = 1
    for size in shape:
        items *= size
    return items

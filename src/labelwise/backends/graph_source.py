"""Where a checkpoint's ONNX graph comes from: our own builder, a published file, or an export by torch."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from labelwise.backends.heads import HeadOutputs
from labelwise.checkpoints.cache import find_entry, store_entry
from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.joint_heads import JointHead
from labelwise.checkpoints.weights import read_tensors, weights_hash
from labelwise.errors import BackendError, CheckpointError, LabelwiseError
from labelwise.graphs.families import has_builder

if TYPE_CHECKING:
    import onnx

__all__ = ["graph_of"]

_GRAPH_FILE = "model.onnx"
_DATA_FILE = "model.onnx.data"
# Tensors from this size on lie in a file of their own that the runtime maps: of a large embedding table only
# the rows that are read then take memory.
_OUTSIDE_FROM_BYTES = 1024


def graph_of(checkpoint: Checkpoint, *, fused: bool) -> Path | bytes:
    """Return a checkpoint's ONNX graph: a file, or its bytes where the cache cannot be written.

    Our own graph comes first: its arithmetic is known to be float32, and it is the faster one.

    Args:
        checkpoint: What `open_checkpoint` gave.
        fused: Whether the graph may hold onnxruntime's own operators; matters for our own graphs only.

    Raises:
        CheckpointError: a tensor is missing or has the wrong shape.
        MissingExtraError: the family has no builder and no ONNX file, and torch is not installed.
        BackendError: the export is not equal to the torch model.
    """
    if not (checkpoint.weight_files and has_builder(checkpoint.config)):
        return _published_or_exported(checkpoint)
    variant = "fused" if fused else "standard"
    try:
        return _cached(checkpoint, "labelwise.graphs", variant, lambda: _build(checkpoint, fused=fused))
    except CheckpointError as error:
        # A builder does not know every setting of its family (DeBERTa-v2's convolution, say); torch does, and
        # it is as strict about tensors. Where it cannot help either, the builder's reason is the plainer one.
        try:
            return _published_or_exported(checkpoint)
        except LabelwiseError:
            raise error from None


def _published_or_exported(checkpoint: Checkpoint) -> Path | bytes:
    if isinstance(checkpoint.head, JointHead) and checkpoint.weight_files:
        maker = "labelwise.backends.joint_positions"
        return _cached(checkpoint, maker, "exported", lambda: _export_joint(checkpoint))
    if checkpoint.onnx_files:
        return checkpoint.onnx_files[0]
    return _cached(checkpoint, "labelwise.backends.torch_export", "exported", lambda: _export(checkpoint))


def _build(checkpoint: Checkpoint, *, fused: bool) -> onnx.ModelProto:
    from labelwise.graphs import build_graph  # imports onnx, which a cached graph does not need

    head = HeadOutputs.of(checkpoint).kind
    return build_graph(checkpoint.config, read_tensors(checkpoint), head=head, fused=fused)


def _export(checkpoint: Checkpoint) -> onnx.ModelProto:
    from labelwise.backends.torch_export import export_graph

    return export_graph(checkpoint)


def _export_joint(checkpoint: Checkpoint) -> onnx.ModelProto:
    from labelwise.backends.joint_export import export_joint_graph

    return export_joint_graph(checkpoint)


def _cached(
    checkpoint: Checkpoint, maker: str, variant: str, make: Callable[[], onnx.ModelProto]
) -> Path | bytes:
    key = f"{weights_hash(checkpoint)[:32]}-{variant}-{_version_of(maker)}"
    folder = find_entry(key)
    if folder is None:
        # Writing empties the graph, which saves a copy of it in memory; so without a cache it is made again.
        folder = store_entry(key, lambda into: _write(make(), into))
        if folder is None:
            return _in_memory(make())
    return folder / _GRAPH_FILE


def _version_of(module: str) -> str:
    """Hash the source that makes a graph: a graph made by other code is never taken from the cache."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise BackendError(f"{module} is missing from this installation: reinstall labelwise")
    origin = Path(spec.origin)
    sources = sorted(origin.parent.rglob("*.py")) if origin.name == "__init__.py" else [origin]
    digest = hashlib.sha256()
    for source in sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


def _write(graph: onnx.ModelProto, folder: Path) -> None:
    import onnx

    onnx.save_model(
        graph,
        str(folder / _GRAPH_FILE),
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location=_DATA_FILE,
        size_threshold=_OUTSIDE_FROM_BYTES,
    )


def _in_memory(graph: onnx.ModelProto) -> bytes:
    try:
        return bytes(graph.SerializeToString())
    except ValueError as error:
        raise BackendError(
            "the graph is too large to be held in memory (2 GB) and the cache cannot be written: set "
            "LABELWISE_CACHE to a folder with room"
        ) from error

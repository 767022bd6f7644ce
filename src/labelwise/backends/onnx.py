"""The ONNX backend: onnxruntime on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from labelwise.backends.cores import available_cores
from labelwise.backends.graph_source import graph_of
from labelwise.backends.heads import HeadOutputs
from labelwise.backends.inputs import check_inputs, check_outputs
from labelwise.backends.pad import pad
from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.families import pad_token_id
from labelwise.errors import BackendError
from labelwise.text.sequence import TokenSequence

__all__ = ["OnnxBackend", "start_session"]

_INTEGERS: dict[str, type[np.signedinteger[Any]]] = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}


class OnnxBackend:
    """Runs a checkpoint's ONNX graph; see `labelwise.backends.base.Backend`."""

    name = "onnx"

    def __init__(self, session: Any, *, head: HeadOutputs, pad_id: int) -> None:
        """Take a started session over.

        Raises:
            BackendError: its inputs or outputs are not those of the head.
        """
        inputs = {entry.name: entry.type for entry in session.get_inputs()}
        check_inputs(list(inputs))
        check_outputs({entry.name: entry.shape for entry in session.get_outputs()}, head)
        unusable = next((name for name, kind in inputs.items() if kind not in _INTEGERS), None)
        if unusable is not None:
            raise BackendError(
                f"the graph's input {unusable!r} takes {inputs[unusable]}: token ids are integers"
            )
        self._session = session
        self._inputs = {name: _INTEGERS[kind] for name, kind in inputs.items()}
        self._head = head
        self._pad_id = pad_id

    @classmethod
    def open(cls, checkpoint: Checkpoint, *, threads: int | None = None) -> OnnxBackend:
        """Start onnxruntime on a checkpoint's graph."""
        session = start_session(graph_of(checkpoint, fused=True), threads=threads)
        return cls(session, head=HeadOutputs.of(checkpoint), pad_id=pad_token_id(checkpoint.config))

    def run(
        self, sequences: Sequence[TokenSequence], *, outputs: Sequence[str] | None = None
    ) -> tuple[NDArray[np.float32], ...]:
        """Return the logits of one batch; see `labelwise.backends.base.Backend.run`.

        All heads are computed, whatever the outputs: onnxruntime runs every step of a graph. Its option
        ``only_execute_path_to_fetches`` has no effect outside its training builds.
        """
        head = self._head.only(outputs)
        if not sequences:
            return head.empty()
        batch = pad(sequences, pad_token_id=self._pad_id)
        feed = {name: batch.array(name).astype(kind, copy=False) for name, kind in self._inputs.items()}
        try:
            found = self._session.run(list(head.names), feed)
        except Exception as error:  # onnxruntime's own classes share no base but this
            raise BackendError(
                f"onnxruntime failed on a batch of shape {batch.input_ids.shape}: {_line(error)}"
            ) from error
        return head.checked(found, batch)


def start_session(graph: Path | bytes, *, threads: int | None = None) -> Any:
    """Load a graph into onnxruntime.

    Raises:
        BackendError: onnxruntime does not take it.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or available_cores()
    options.inter_op_num_threads = 1
    # Memory plans are kept per shape, and nearly every batch has a shape of its own.
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    # Idle threads sleep instead of spinning: the cores belong to others between two calls.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    model = str(graph) if isinstance(graph, Path) else graph
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own classes share no base but this
        what = str(graph) if isinstance(graph, Path) else "the graph"
        raise BackendError(f"onnxruntime cannot load {what}: {_line(error)}") from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]

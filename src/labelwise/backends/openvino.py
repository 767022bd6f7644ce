"""The OpenVINO backend: the same graphs, with standard operators only."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelwise.backends.cores import available_cores
from labelwise.backends.graph_source import graph_of
from labelwise.backends.heads import HeadOutputs
from labelwise.backends.inputs import KNOWN_INPUTS, check_inputs, check_outputs
from labelwise.backends.pad import pad
from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.families import pad_token_id
from labelwise.errors import BackendError, require
from labelwise.text.sequence import TokenSequence

__all__ = ["OpenvinoBackend"]


class OpenvinoBackend:
    """Runs a checkpoint's ONNX graph in OpenVINO; see `labelwise.backends.base.Backend`."""

    name = "openvino"

    def __init__(self, compiled: Any, *, head: HeadOutputs, pad_id: int) -> None:
        """Take a compiled model over.

        Raises:
            BackendError: its inputs or outputs are not those of the head.
        """
        self._inputs = [_name(port, KNOWN_INPUTS) for port in compiled.inputs]
        check_inputs(self._inputs)
        check_outputs({_name(port, head.names): _shape(port) for port in compiled.outputs}, head)
        self._compiled = compiled
        self._head = head
        self._pad_id = pad_id
        # A request serves one call at a time; free ones wait here (a deque's ends are safe between threads).
        self._free_requests: deque[Any] = deque()

    @classmethod
    def open(cls, checkpoint: Checkpoint, *, threads: int | None = None) -> OpenvinoBackend:
        """Compile a checkpoint's graph for the CPU, in float32."""
        openvino = require("openvino", extra="openvino")
        graph = graph_of(checkpoint, fused=False)
        settings = {
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": threads or available_cores(),
            "PERFORMANCE_HINT": "LATENCY",
        }
        try:
            core = openvino.Core()
            model = core.read_model(str(graph) if isinstance(graph, Path) else graph)
            compiled = core.compile_model(model, "CPU", settings)
        except RuntimeError as error:
            raise BackendError(f"OpenVINO cannot load {checkpoint.ref!r}: {_line(error)}") from error
        return cls(compiled, head=HeadOutputs.of(checkpoint), pad_id=pad_token_id(checkpoint.config))

    def run(
        self, sequences: Sequence[TokenSequence], *, outputs: Sequence[str] | None = None
    ) -> tuple[NDArray[np.float32], ...]:
        """Return the logits of one batch; see `labelwise.backends.base.Backend.run`.

        All heads are computed, whatever the outputs: OpenVINO runs a compiled model whole, and a model per
        set of outputs would hold the encoder's weights once more.
        """
        head = self._head.only(outputs)
        if not sequences:
            return head.empty()
        batch = pad(sequences, pad_token_id=self._pad_id)
        try:
            request = self._free_requests.pop()
        except IndexError:
            request = self._compiled.create_infer_request()
        try:
            request.infer({name: batch.array(name) for name in self._inputs})
            # The tensors belong to the request, which the next call may overwrite.
            found = [np.array(request.get_tensor(name).data) for name in head.names]
        except RuntimeError as error:
            raise BackendError(
                f"OpenVINO failed on a batch of shape {batch.input_ids.shape}: {_line(error)}"
            ) from error
        finally:
            self._free_requests.append(request)
        return head.checked(found, batch)


def _name(port: Any, wanted: Sequence[str]) -> str:
    # A tensor keeps the names of the steps that were folded into it beside its own.
    names = port.get_names()
    return next((name for name in wanted if name in names), port.get_any_name())


def _shape(port: Any) -> list[int | None]:
    return [size.get_length() if size.is_static else None for size in port.get_partial_shape()]


def _line(error: Exception) -> str:
    # OpenVINO puts the reason last, after the places in its source.
    return " ".join(str(error).split())[-300:]

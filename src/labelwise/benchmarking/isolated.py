"""A system in a process of its own, so that its memory and its start can be told from the others'."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from types import TracebackType
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from labelwise.benchmarking.specs import AskSettings, SystemSpec
from labelwise.errors import BackendError

__all__ = ["IsolatedSystem"]

_WORKER = [sys.executable, "-m", "labelwise.benchmarking.worker"]
_LEAVING_S = 10.0


class IsolatedSystem:
    """Passes texts and labels to another process and its scores back; see `labelwise.benchmarking.worker`.

    A turn then holds the passing of texts and scores too, which takes well under a millisecond.
    """

    def __init__(self, spec: SystemSpec, settings: AskSettings) -> None:
        """Start the process and have it load the system, without waiting for either."""
        self.name = spec.name
        self.peak_memory_mb: float | None = None
        # Closed in ``close``, like the process that writes to it.
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            _WORKER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors
        )
        self._send({"system": spec.typed, "settings": asdict(settings)})

    def wait_until_open(self) -> None:
        """Wait for the system to be loaded.

        Raises:
            BackendError: it cannot run here.
        """
        self._receive()

    def score(self, texts: Sequence[str], labels: Sequence[str]) -> NDArray[np.float64]:
        """Return scores; see `labelwise.benchmarking.systems.System.score`."""
        self._send({"texts": list(texts), "labels": list(labels)})
        reply = self._receive()
        self.peak_memory_mb = reply["peak_memory_mb"]
        return np.array(reply["scores"], dtype=np.float64)

    def close(self) -> None:
        """End the process."""
        # With no more requests to come it leaves by itself.
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # it may have ended with a request on the way
                    pipe.close()
        try:
            self._process.wait(timeout=_LEAVING_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def __enter__(self) -> IsolatedSystem:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _send(self, value: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(value).encode() + b"\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            raise self._ended() from None

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._ended()
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            raise BackendError(str(reply["error"]))
        return reply

    def _ended(self) -> BackendError:
        status = self._process.wait()
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        last = f": {said[-1][:200]}" if said else ""
        return BackendError(f"the process of {self.name} ended with status {status}{last}")

"""The one shape in which systems are measured, and how each is opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from labelwise.errors import BackendError, LabelwiseError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from labelwise.benchmarking.specs import AskSettings, SystemSpec

__all__ = ["System", "line_of", "open_system"]


class System(Protocol):
    """Scores every label of every text."""

    def score(self, texts: Sequence[str], labels: Sequence[str]) -> NDArray[np.float64]:
        """Return scores, shape (texts, labels), both in the order given."""
        ...


def open_system(spec: SystemSpec, settings: AskSettings) -> System:
    """Load a system; its library is imported only now.

    Raises:
        LabelwiseError: it cannot run here: a library is missing, or does not take the checkpoint.
    """
    openers: dict[str, Callable[[SystemSpec, AskSettings], System]] = {
        "labelwise": _open_labelwise,
        "pipeline": _open_peer,
        "cross-encoder": _open_peer,
        "gliclass": _open_peer,
        "onnxruntime": _open_onnxruntime,
    }
    try:
        return openers[spec.kind](spec, settings)
    except LabelwiseError:
        raise
    except Exception as error:  # the libraries behind the systems share no base but this
        raise BackendError(f"{spec.name} cannot be opened: {line_of(error)}") from error


def line_of(error: Exception) -> str:
    """Return what an error says, on one short line."""
    return " ".join(str(error).split())[:300] or type(error).__name__


def _open_labelwise(spec: SystemSpec, settings: AskSettings) -> System:
    from labelwise.benchmarking.own_system import LabelwiseSystem

    return LabelwiseSystem.open(spec, settings)


def _open_peer(spec: SystemSpec, settings: AskSettings) -> System:
    from labelwise.benchmarking.peer_system import PeerSystem

    return PeerSystem.open(spec, settings)


def _open_onnxruntime(spec: SystemSpec, settings: AskSettings) -> System:
    from labelwise.benchmarking.onnxruntime_system import OnnxruntimeSystem

    return OnnxruntimeSystem.open(spec, settings)

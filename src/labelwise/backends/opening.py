"""Choose a runtime for a checkpoint and start it."""

from __future__ import annotations

from labelwise.backends.base import Backend
from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.errors import CheckpointError, InputError

__all__ = ["open_backend"]

_BACKENDS = ("auto", "engine", "onnx", "openvino", "torch")
_TORCH_DEVICES = ("auto", "cpu", "cuda", "mps")
_DTYPES = ("auto", "float32", "bfloat16", "float16", "int8")
_CPU_DTYPES = ("auto", "float32", "int8")


def open_backend(
    checkpoint: Checkpoint,
    *,
    backend: str = "auto",
    device: str = "auto",
    dtype: str = "auto",
    threads: int | None = None,
) -> Backend:
    """Start a runtime on a checkpoint.

    Args:
        checkpoint: What `open_checkpoint` gave.
        backend: "auto" is "engine", our own forward pass, where this installation has it and it knows the
            model, else "onnx"; neither needs torch.
        device: "auto", "cpu", or for torch also "cuda", "cuda:1", "mps".
        dtype: "auto", "float32", or for torch also "bfloat16", "float16", and for the engine "int8". The
            logits are float32 in any case.
        threads: How many threads one call uses; None for every core that this process may use.

    Raises:
        InputError: a name is not one of these, or does not go with the backend.
        CheckpointError: the checkpoint's weights are broken.
        MissingExtraError: an optional part of labelwise is needed.
        BackendError: the runtime does not take the model.
    """
    _check_choice("backend", backend, _BACKENDS)
    _check_choice("device", device.split(":")[0], _TORCH_DEVICES)
    _check_choice("dtype", dtype, _DTYPES)
    if threads is not None and (not isinstance(threads, int) or threads < 1):
        raise InputError(f"threads must be at least 1, got {threads!r}: leave it out for every core")
    _check_combination(backend, device, dtype)
    # Each runtime is imported only when it is asked for: torch alone takes seconds.
    if backend == "torch":
        from labelwise.backends.torch import TorchBackend

        return TorchBackend.open(checkpoint, device=device, dtype=dtype, threads=threads)
    if backend == "openvino":
        from labelwise.backends.openvino import OpenvinoBackend

        return OpenvinoBackend.open(checkpoint, threads=threads)
    if backend in ("auto", "engine"):
        is_needed = backend == "engine" or dtype == "int8"
        engine = _open_engine(checkpoint, dtype=dtype, threads=threads, is_needed=is_needed)
        if engine is not None:
            return engine
    from labelwise.backends.onnx import OnnxBackend

    return OnnxBackend.open(checkpoint, threads=threads)


def _open_engine(
    checkpoint: Checkpoint, *, dtype: str, threads: int | None, is_needed: bool
) -> Backend | None:
    """Start the packed engine; None, unless it is needed, where it is missing or does not know the model."""
    from labelwise.engine.library import has_library

    if not (is_needed or has_library()):
        return None
    from labelwise.backends.engine import EngineBackend

    try:
        return EngineBackend.open(checkpoint, dtype=dtype, threads=threads)
    except CheckpointError:
        if is_needed:
            raise
        return None


def _check_combination(backend: str, device: str, dtype: str) -> None:
    if backend != "torch" and (device not in ("auto", "cpu") or dtype not in _CPU_DTYPES):
        raise InputError(
            f"device {device!r} with dtype {dtype!r} takes backend='torch': the other backends run in "
            "float32 on the CPU"
        )
    if dtype == "int8" and backend not in ("auto", "engine"):
        raise InputError(f"dtype 'int8' takes backend='engine', got backend={backend!r}")


def _check_choice(what: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InputError(f"{what} {value!r} is not known: use one of {', '.join(choices)}")

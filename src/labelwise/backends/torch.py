"""The torch backend: transformers' own model, for GPUs and for comparing."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelwise.backends.heads import HeadOutputs
from labelwise.backends.inputs import fillable_inputs
from labelwise.backends.pad import pad
from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.families import pad_token_id
from labelwise.checkpoints.heads import MultitaskHead
from labelwise.checkpoints.joint_heads import JointHead
from labelwise.errors import BackendError, CheckpointError, InputError, require
from labelwise.text.sequence import TokenSequence

__all__ = ["TorchBackend", "input_names", "load_model"]

# Which of the multi-task model's heads an output comes from.
_HEADS = {
    "label_logits": "classify",
    "entail_logits": "entail",
    "start_logits": "answer",
    "end_logits": "answer",
}


class TorchBackend:
    """Runs a checkpoint's torch module; see `labelwise.backends.base.Backend`."""

    name = "torch"

    def __init__(self, model: Any, *, head: HeadOutputs, pad_id: int) -> None:
        """Take a module over; it runs where its parameters are."""
        self._torch = require("torch", extra="torch")
        self._model = model.eval()
        self._device = next(model.parameters()).device
        self._inputs = input_names(model)
        self._head = head
        self._pad_id = pad_id

    @classmethod
    def open(
        cls, checkpoint: Checkpoint, *, device: str = "auto", dtype: str = "auto", threads: int | None = None
    ) -> TorchBackend:
        """Load a checkpoint's weights into transformers' module.

        Args:
            checkpoint: What `open_checkpoint` gave.
            device: "auto" is "cuda" where there is one.
            dtype: "auto" is float32.
            threads: Sets torch's number of threads for the whole process; None leaves it.

        Raises:
            InputError: this machine does not have the device.
            CheckpointError: the weights cannot be read, or a tensor is missing.
        """
        torch = require("torch", extra="torch")
        if threads is not None:
            torch.set_num_threads(threads)
        place = _device(torch, device)
        model = load_model(checkpoint, dtype="float32" if dtype == "auto" else dtype).to(place)
        if place.type == "cuda":
            from labelwise.models.attention import packed_on_gpu

            model = packed_on_gpu(model)
        return cls(model, head=HeadOutputs.of(checkpoint), pad_id=pad_token_id(checkpoint.config))

    def run(
        self, sequences: Sequence[TokenSequence], *, outputs: Sequence[str] | None = None
    ) -> tuple[NDArray[np.float32], ...]:
        """Return the logits of one batch; see `labelwise.backends.base.Backend.run`."""
        head = self._head.only(outputs)
        if not sequences:
            return head.empty()
        torch = self._torch
        batch = pad(sequences, pad_token_id=self._pad_id)
        feed = {name: torch.from_numpy(batch.array(name)).to(self._device) for name in self._inputs}
        try:
            with torch.inference_mode():
                result = self._model(**feed, **_asked_heads(head))
            found = [result[name].float().cpu().numpy() for name in head.names]
        except (RuntimeError, IndexError) as error:
            raise BackendError(
                f"torch failed on a batch of shape {batch.input_ids.shape}: {_line(error)}"
            ) from error
        return head.checked(found, batch)


def _asked_heads(head: HeadOutputs) -> dict[str, tuple[str, ...]]:
    """Return what the module is told to run: only the multi-task one has a choice."""
    return {"heads": tuple(_HEADS[name] for name in head.names)} if head.kind == "multitask" else {}


def load_model(checkpoint: Checkpoint, *, dtype: str = "float32") -> Any:
    """Load a checkpoint into transformers' module: no pickles, no code of the checkpoint's own.

    Where there are no safetensors, the weights of an ONNX file that labelwise wrote are widened; see
    `labelwise.checkpoints.widened`.

    Raises:
        CheckpointError: the weights cannot be read, transformers cannot load them, or a tensor is missing.
        MissingExtraError: torch or transformers is not installed.
    """
    torch = require("torch", extra="torch")
    transformers = require("transformers", extra="torch")
    if not checkpoint.weight_files:
        from labelwise.backends.widened_torch import load_widened

        with _quiet(transformers.utils.logging):
            return load_widened(checkpoint).to(getattr(torch, dtype)).eval()
    if isinstance(checkpoint.head, JointHead):
        from labelwise.backends.joint_torch import JointForward, load_joint

        with _quiet(transformers.utils.logging):
            return JointForward(load_joint(checkpoint, dtype=getattr(torch, dtype)))
    if isinstance(checkpoint.head, MultitaskHead):
        from labelwise.models.loading import load_multitask_model

        with _quiet(transformers.utils.logging):
            return load_multitask_model(checkpoint.folder, dtype=getattr(torch, dtype))
    is_reader = HeadOutputs.of(checkpoint).kind == "question-answering"
    auto = (
        transformers.AutoModelForQuestionAnswering
        if is_reader
        else transformers.AutoModelForSequenceClassification
    )
    try:
        with _quiet(transformers.utils.logging):
            model, report = auto.from_pretrained(
                checkpoint.folder,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                dtype=getattr(torch, dtype),
                output_loading_info=True,
            )
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise CheckpointError(f"{checkpoint.ref!r}: transformers cannot load it: {_line(error)}") from error
    # transformers fills what is missing with random numbers and only warns.
    absent = sorted({*report["missing_keys"], *(str(entry) for entry in report["mismatched_keys"])})
    if absent:
        raise CheckpointError(f"{checkpoint.ref!r}: tensor {absent[0]!r} is missing or has the wrong shape")
    return model.eval()


@contextlib.contextmanager
def _quiet(logging: Any) -> Iterator[None]:
    """Keep transformers' progress bars and its report on tensors, which is checked here, off the screen."""
    had_bars, verbosity = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if had_bars:
            logging.enable_progress_bar()


def input_names(model: Any) -> tuple[str, ...]:
    """Return which inputs a module takes: token types only where its table has more than one."""
    taken = fillable_inputs(inspect.signature(model.forward).parameters)
    if "token_type_ids" in taken and (getattr(model.config, "type_vocab_size", 0) or 0) <= 1:
        return tuple(name for name in taken if name != "token_type_ids")
    return taken


def _device(torch: Any, name: str) -> Any:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind = name.split(":")[0]
    is_there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}[
        kind
    ]
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InputError(f"device {name!r} is not one that torch knows") from error
    if not is_there or (kind == "cuda" and (device.index or 0) >= torch.cuda.device_count()):
        raise InputError(f"device {name!r} is not on this machine: use device='cpu'")
    return device


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]

"""Load a checkpoint: from a reference to a model that answers."""

from __future__ import annotations

from pathlib import Path

from labelwise.backends import open_backend
from labelwise.batching import DEFAULT_BATCH_TOKENS
from labelwise.checkpoints.opening import open_checkpoint
from labelwise.errors import InputError
from labelwise.model import Model
from labelwise.text.pair import PairLayout
from labelwise.text.tokenizer import TextTokenizer

__all__ = ["load"]


def load(
    ref: str | Path = "bundled",
    *,
    backend: str = "auto",
    device: str = "auto",
    dtype: str = "auto",
    revision: str | None = None,
    threads: int | None = None,
    batch_tokens: int = DEFAULT_BATCH_TOKENS,
) -> Model:
    """Load a checkpoint from the package, a folder or the Hugging Face hub.

    Args:
        ref: "bundled" (needs no network), a folder, or a hub id such as
            "MoritzLaurer/deberta-v3-xsmall-zeroshot-v1.1-all-33".
        backend: "onnx", "openvino", "torch", or "auto" (onnx).
        device: "cpu", "cuda", ... for the torch backend.
        dtype: "float32", "bfloat16", "float16" for the torch backend.
        revision: branch, tag or commit of a hub id.
        threads: threads of the backend; None leaves the choice to it.
        batch_tokens: the most tokens in one padded batch.

    Raises:
        CheckpointError: there is no usable checkpoint at ``ref``.
        MissingExtraError: the checkpoint or backend needs an optional part of labelwise.
        InputError: a setting has no meaning.

    Example:
        >>> import labelwise
        >>> sorted(labelwise.load().tasks)
        ['classify', 'entail', 'rank']
    """
    if batch_tokens < 1:
        raise InputError(f"batch_tokens must be at least 1, got {batch_tokens}")
    checkpoint = open_checkpoint(ref, revision=revision, needs_safetensors=backend == "torch")
    tokenizer = TextTokenizer.from_folder(checkpoint.folder)
    return Model(
        checkpoint=checkpoint,
        tokenizer=tokenizer,
        layout=PairLayout.for_model(checkpoint.config, tokenizer.control, max_tokens=checkpoint.max_tokens),
        backend=open_backend(checkpoint, backend=backend, device=device, dtype=dtype, threads=threads),
        batch_tokens=batch_tokens,
    )

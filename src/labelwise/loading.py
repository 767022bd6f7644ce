"""Load a checkpoint: from a reference to a model that answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from labelwise.backends import open_backend
from labelwise.batching import DEFAULT_BATCH_TOKENS
from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.joint_heads import GliclassHead, GliznetHead, JointHead
from labelwise.checkpoints.opening import open_checkpoint
from labelwise.checkpoints.settings import read_calibration
from labelwise.errors import CheckpointError, InputError
from labelwise.model import Model
from labelwise.tasks.pairs import MIN_ROOM
from labelwise.tasks.scorers import Layout
from labelwise.text.label_list import LabelListLayout
from labelwise.text.label_prompt import LabelPromptLayout
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
    calibration: str | Path | None = None,
) -> Model:
    """Load a checkpoint from the package, a folder or the Hugging Face hub.

    Args:
        ref: "bundled" (needs no network), a folder, or a hub id such as
            "MoritzLaurer/deberta-v3-xsmall-zeroshot-v1.1-all-33".
        backend: "engine", "onnx", "openvino", "torch", or "auto": our own packed engine where it is installed
            and knows the model, else onnx.
        device: "cpu", "cuda", ... for the torch backend.
        dtype: "float32", "bfloat16", "float16" for the torch backend; "int8" runs float weights in 8 bits in
            the engine.
        revision: branch, tag or commit of a hub id.
        threads: threads of the backend; None leaves the choice to it.
        batch_tokens: the most tokens in one padded batch.
        calibration: a file written by ``labelwise calibrate MODEL --to FILE.json``, for models whose folder
            cannot be written; what it holds goes before the model's own labelwise.json.

    Raises:
        CheckpointError: there is no usable checkpoint at ``ref``.
        MissingExtraError: the checkpoint or backend needs an optional part of labelwise.
        InputError: a setting has no meaning.

    Example:
        >>> import labelwise
        >>> sorted(labelwise.load().tasks)
        ['answer', 'classify', 'entail', 'rank']
    """
    if batch_tokens < 1:
        raise InputError(f"batch_tokens must be at least 1, got {batch_tokens}")
    checkpoint = open_checkpoint(ref, revision=revision, needs_safetensors=backend == "torch")
    if calibration is not None:
        settings = read_calibration(Path(calibration), checkpoint.settings)
        checkpoint = replace(checkpoint, settings=settings)
    extra_control = checkpoint.head.control_names if isinstance(checkpoint.head, JointHead) else ()
    tokenizer = TextTokenizer.from_folder(checkpoint.folder, extra_control=extra_control)
    return Model(
        checkpoint=checkpoint,
        tokenizer=tokenizer,
        layout=_layout(checkpoint, tokenizer),
        backend=open_backend(checkpoint, backend=backend, device=device, dtype=dtype, threads=threads),
        batch_tokens=batch_tokens,
    )


def _layout(checkpoint: Checkpoint, tokenizer: TextTokenizer) -> Layout:
    head, control, max_tokens = checkpoint.head, tokenizer.control, checkpoint.max_tokens
    if isinstance(head, GliznetHead):
        if control.cls is None or control.sep is None:
            raise CheckpointError(f"{checkpoint.ref!r}: the tokenizer names no cls_token or no sep_token")
        return LabelListLayout(
            cls=control.cls,
            sep=control.sep,
            lab=_agreed_id(checkpoint, tokenizer, head.lab_token, head.lab_token_id),
            max_tokens=max_tokens,
            max_labels=head.max_labels,
            min_text_tokens=head.min_text_tokens,
        )
    if isinstance(head, GliclassHead):
        return LabelPromptLayout(
            prefix=() if control.cls is None else (control.cls,),
            suffix=() if control.sep is None else (control.sep,),
            label=_agreed_id(checkpoint, tokenizer, head.LABEL_TOKEN, head.label_token_id),
            text=_agreed_id(checkpoint, tokenizer, head.TEXT_TOKEN, head.text_token_id),
            is_prompt_first=head.prompt_first,
            max_tokens=max_tokens,
            max_labels=head.max_labels,
            min_text_tokens=MIN_ROOM,
        )
    return PairLayout.for_model(checkpoint.config, control, max_tokens=max_tokens)


def _agreed_id(checkpoint: Checkpoint, tokenizer: TextTokenizer, name: str, declared: int | None) -> int:
    """Return a control token's id, on which the tokenizer and config.json must agree."""
    found = tokenizer.control_id(name)
    if declared is not None and declared != found:
        raise CheckpointError(
            f"{checkpoint.ref!r}: {name} has id {found} in the tokenizer and {declared} in config.json: they "
            "belong to different models"
        )
    return found

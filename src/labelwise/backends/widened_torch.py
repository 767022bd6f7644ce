"""A torch module from the weights of an ONNX file that labelwise wrote."""

from __future__ import annotations

from typing import Any

from labelwise.backends.heads import HeadOutputs
from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.widened import read_widened
from labelwise.errors import CheckpointError, require

__all__ = ["load_widened"]

_AUTO = {
    "multitask": "AutoModel",
    "question-answering": "AutoModelForQuestionAnswering",
    "sequence-classification": "AutoModelForSequenceClassification",
}


def load_widened(checkpoint: Checkpoint) -> Any:
    """Make transformers' module and fill it with the stored weights, widened to float32.

    Raises:
        CheckpointError: the weights cannot be read back, or do not match config.json.
    """
    torch = require("torch", extra="torch")
    transformers = require("transformers", extra="torch")
    from labelwise.models.loading import fill_module  # registers the multi-task model

    try:
        weights = read_widened(checkpoint)
    except CheckpointError as error:
        raise CheckpointError(f"{error}: use backend='onnx', or a model with safetensors") from error
    auto = getattr(transformers, _AUTO[HeadOutputs.of(checkpoint).kind])
    try:
        config = transformers.AutoConfig.from_pretrained(checkpoint.folder, local_files_only=True)
        # A fresh module draws its weights at random, which is nothing the caller's generator should feel.
        with torch.random.fork_rng(devices=()):
            module = auto.from_config(config, trust_remote_code=False, dtype=torch.float32)
        fill_module(module, weights)
    except CheckpointError as error:
        raise CheckpointError(f"{checkpoint.ref!r}: {error}") from error
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:300]
        raise CheckpointError(f"{checkpoint.ref!r}: transformers cannot load it: {reason}") from error
    return module

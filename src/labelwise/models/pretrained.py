"""Open a folder with transformers, and say in one line why that fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from transformers import AutoConfig, PreTrainedConfig, PreTrainedModel

from labelwise.errors import CheckpointError

__all__ = ["load_config", "load_pretrained"]

_MAX_REASON_CHARACTERS = 300


def load_config(folder: Path) -> PreTrainedConfig:
    """Read a folder's configuration.

    Raises:
        CheckpointError: transformers cannot read it.
    """
    with _named_failure(folder):
        config: PreTrainedConfig = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    return config


def load_pretrained(
    kind: Any, folder: Path, *, attention: str | None = None, **arguments: Any
) -> PreTrainedModel:
    """Load a model in float32 from safetensors.

    Args:
        kind: a class of transformers, such as ``AutoModelForQuestionAnswering``.
        folder: with config.json and safetensors.
        attention: transformers' implementation, such as "eager" or "sdpa"; None takes the model's default,
            as not every model has each.
        arguments: further ones of ``from_pretrained``.

    Raises:
        CheckpointError: transformers cannot load it.
    """
    chosen = {} if attention is None else {"attn_implementation": attention}
    with _named_failure(folder):
        model: PreTrainedModel = kind.from_pretrained(
            folder, dtype="float32", use_safetensors=True, trust_remote_code=False, **chosen, **arguments
        )
    return model


@contextmanager
def _named_failure(folder: Path) -> Iterator[None]:
    try:
        yield
    except (ImportError, OSError, RuntimeError, SafetensorError, ValueError) as error:
        reason = " ".join(str(error).split())[:_MAX_REASON_CHARACTERS]
        raise CheckpointError(f"transformers cannot load {folder}: {reason}") from error

"""Read the weights of a joint or multi-task model, all of them or not at all."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel

from labelwise.errors import CheckpointError
from labelwise.models.gliclass import GLiClassConfig
from labelwise.models.gliznet import GliZNetConfig
from labelwise.models.multitask import MultitaskConfig

__all__ = ["load_joint_model", "load_multitask_model"]


def load_joint_model(folder: Path, *, dtype: torch.dtype = torch.float32) -> PreTrainedModel:
    """Read a GliZNet or GLiClass checkpoint from a folder, in evaluation mode.

    Raises:
        CheckpointError: the folder holds another kind of model, or its weights do not match its config.json.
    """
    return _load(folder, (GliZNetConfig, GLiClassConfig), dtype)


def load_multitask_model(folder: Path, *, dtype: torch.dtype = torch.float32) -> PreTrainedModel:
    """Read a multi-task checkpoint from a folder, in evaluation mode.

    Raises:
        CheckpointError: the folder holds another kind of model, or its weights do not match its config.json.
    """
    return _load(folder, (MultitaskConfig,), dtype)


def _load(folder: Path, kinds: tuple[type[PretrainedConfig], ...], dtype: torch.dtype) -> PreTrainedModel:
    """Read a checkpoint; transformers draws what it does not find at random, which is an error here."""
    config = AutoConfig.from_pretrained(folder)
    if not isinstance(config, kinds):
        known = ", ".join(kind.model_type for kind in kinds)
        raise CheckpointError(f"{folder} holds a {config.model_type!r} model: this reads {known}")
    model, report = AutoModel.from_pretrained(
        folder,
        config=config,
        dtype=dtype,
        use_safetensors=True,
        output_loading_info=True,
        # Lets a wrong shape come through to the report below instead of raising without naming the weight.
        ignore_mismatched_sizes=True,
    )
    for kind in ("missing_keys", "mismatched_keys", "unexpected_keys"):
        names = sorted(str(entry if isinstance(entry, str) else entry[0]) for entry in report[kind])
        if names:
            raise CheckpointError(
                f"{folder} has {len(names)} {kind.replace('_keys', '')} weights, first {names[0]}: "
                "download the checkpoint again, or check that its config.json belongs to its weights"
            )
    return model.eval()

"""Read the weights of a joint or multi-task model, all of them or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel

from labelwise.errors import CheckpointError
from labelwise.models.gliclass import GLiClassConfig
from labelwise.models.gliznet import GliZNetConfig
from labelwise.models.multitask import MultitaskConfig

__all__ = ["fill_module", "load_joint_model", "load_multitask_model"]


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


def fill_module(module: torch.nn.Module, weights: Mapping[str, NDArray[np.float32]]) -> None:
    """Give a module all its weights by name; matrices may come with columns of zeros filled up behind.

    Raises:
        CheckpointError: a weight is missing, has another shape, or belongs to no part of the module.
    """
    state = module.state_dict()
    strange = sorted(weights.keys() - state.keys())
    if strange:
        raise CheckpointError(f"the module has no weight {strange[0]!r}: its config.json is another model's")
    with torch.no_grad():
        for name, tensor in state.items():
            if name not in weights:
                raise CheckpointError(f"tensor {name!r} is missing: export the model again")
            tensor.copy_(torch.from_numpy(_fitted(name, weights[name], tuple(tensor.shape))))


def _fitted(name: str, values: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return a writable copy in the module's shape."""
    is_filled_up = values.ndim == len(shape) == 2 and values.shape[1] > shape[1]
    if is_filled_up and not values[:, shape[1] :].any():
        values = values[:, : shape[1]]
    # A table of one row may be stored as that row.
    if values.shape != shape and (1, *values.shape) != shape:
        raise CheckpointError(
            f"tensor {name!r} has shape {values.shape} where config.json asks for {shape}: the weights and "
            "the config.json belong to different models"
        )
    return np.array(values.reshape(shape), dtype=np.float32)

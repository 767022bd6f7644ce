"""Weights between those of an earlier run and those of the run that went on from it."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file

from labelwise.errors import InputError
from labelwise.models.multitask import MultitaskModel

__all__ = ["average_with_earlier"]


def average_with_earlier(model: MultitaskModel, earlier_model: Path, *, share: float) -> None:
    """Move a trained model's weights towards the earlier run's by a share.

    Weights between a model and its fine-tuned form do better on data unlike the training data than either
    (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models"). Buffers, such as the lexical
    similarity, stay as they are.

    Args:
        model: the trained model; it is changed.
        earlier_model: the folder of the model that it went on from.
        share: of the earlier weights, from 0 (leaves the model as it is) up to 1.

    Raises:
        InputError: a weight is missing there or has another shape.
    """
    earlier = load_file(earlier_model / "model.safetensors")
    with torch.no_grad():
        for name, weight in model.named_parameters():
            start = earlier.get(name)
            if start is None or start.shape != weight.shape:
                raise InputError(f"{earlier_model} has no weight {name!r} of shape {tuple(weight.shape)}")
            weight.lerp_(start.to(weight.dtype), share)

"""Checked access to a checkpoint's weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import CheckpointError

__all__ = ["Affine", "CheckpointTensors", "FloatArray"]

FloatArray = NDArray[np.float32]


class Affine(NamedTuple):
    """A weight and its bias: a linear layer (weight ``[out, in]``) or a layer norm (weight ``[size]``)."""

    name: str
    weight: FloatArray
    bias: FloatArray


class CheckpointTensors:
    """The tensors under one prefix of a checkpoint; every read says which shape it expects."""

    def __init__(self, tensors: Mapping[str, FloatArray], prefix: str = "") -> None:
        self._tensors = tensors
        self._prefix = prefix

    def under(self, name: str) -> CheckpointTensors:
        """Narrow to the tensors whose names go on with ``name`` and a dot."""
        return CheckpointTensors(self._tensors, f"{self._prefix}{name}.")

    def has(self, name: str) -> bool:
        """Tell whether there is such a tensor."""
        return f"{self._prefix}{name}" in self._tensors

    def read(self, name: str, *shape: int) -> FloatArray:
        """Read one tensor.

        Raises:
            CheckpointError: there is none of that name, or it has another shape.
        """
        full_name = f"{self._prefix}{name}"
        if full_name not in self._tensors:
            raise CheckpointError(
                f"the weights lack the tensor {full_name!r} (expected shape {shape}): "
                "use a checkpoint that was trained with this head and matches its config.json"
            )
        tensor = np.asarray(self._tensors[full_name])
        if tensor.shape != shape:
            raise CheckpointError(
                f"the tensor {full_name!r} has shape {tensor.shape}, but config.json asks for {shape}: "
                "the weights and the config.json belong to different models"
            )
        return tensor.astype(np.float32, copy=False)

    def linear(self, name: str, *, size_in: int, size_out: int) -> Affine:
        """Read a linear layer: weight ``[out, in]`` and bias ``[out]``."""
        weight = self.read(f"{name}.weight", size_out, size_in)
        return Affine(f"{self._prefix}{name}", weight, self.read(f"{name}.bias", size_out))

    def norm(self, name: str, *, size: int) -> Affine:
        """Read a layer norm, also under the old names gamma and beta."""
        old_names = self.has(f"{name}.gamma") and not self.has(f"{name}.weight")
        weight_name, bias_name = ("gamma", "beta") if old_names else ("weight", "bias")
        weight = self.read(f"{name}.{weight_name}", size)
        return Affine(f"{self._prefix}{name}", weight, self.read(f"{name}.{bias_name}", size))

    def full_name(self, name: str) -> str:
        """Spell the name out, with the prefix."""
        return f"{self._prefix}{name}"

    def require_family(self, prefix: str, *, family: str) -> None:
        """Refuse weights of which none belongs to the family.

        Raises:
            CheckpointError: no tensor's name starts with the prefix.
        """
        if any(name.startswith(f"{prefix}.") for name in self._tensors):
            return
        first = min(self._tensors, default=None)
        found = f"they start with {first!r}" if first is not None else "they are empty"
        raise CheckpointError(
            f"the weights hold no {prefix!r} tensors ({found}), but config.json says model_type {family!r}: "
            "use the weights that belong to this config.json"
        )

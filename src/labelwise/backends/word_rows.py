"""A checkpoint's word embeddings as its file holds them: rows become float32 only when a text needs them."""

from __future__ import annotations

from typing import Final

import numpy as np

from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.safetensors_file import read_header
from labelwise.engine.native import WordTable
from labelwise.errors import CheckpointError

__all__ = ["map_half_words"]

# bfloat16, which numpy does not know, by its bits.
_HALF_DTYPES: Final = {"F16": "<f2", "BF16": "<u2"}


def map_half_words(checkpoint: Checkpoint, name: str, *, shape: tuple[int, int]) -> WordTable | None:
    """Map a table of embeddings that is stored in 16 bits; None where it is stored otherwise.

    Args:
        checkpoint: has safetensors.
        name: of the tensor.
        shape: what config.json asks for, [words, hidden].

    Raises:
        CheckpointError: the tensor has another shape, or its file cannot be read.
    """
    for file in checkpoint.weight_files:
        tensor = read_header(file).get(name)
        if tensor is None or tensor.dtype not in _HALF_DTYPES or tensor.start == tensor.stop:
            continue
        if tensor.shape != shape:
            raise CheckpointError(
                f"the tensor {name!r} has shape {tensor.shape}, but config.json asks for {shape}: "
                "the weights and the config.json belong to different models"
            )
        try:
            rows = np.memmap(file, _HALF_DTYPES[tensor.dtype], mode="r", offset=tensor.start, shape=shape)
        except OSError as error:
            raise CheckpointError(f"tensor {name!r} cannot be read from {file}: {error}") from error
        return WordTable(rows)
    return None

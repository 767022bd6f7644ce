"""An encoder's layers as an 8-bit file holds them; their integers are not rounded a second time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from labelwise.engine.native import ATTENTION_OUTPUT, DOWN, QUERY_KEY_VALUE, UP, WordTable
from labelwise.engine.onnx_weights import OnnxWeights
from labelwise.engine.small_weights import SmallWeight
from labelwise.errors import CheckpointError
from labelwise.graphs.settings import EncoderSettings

__all__ = ["StoredLayers"]

FloatArray = NDArray[np.float32]

_LARGEST: Final = np.float32(127)
_ATTENTION: Final = "attention.self."
# How a file may spell the projections of an attention, which are one product here.
_PROJECTIONS: Final = (("query_to_value",), ("query", "key_to_value"), ("query", "key", "value"))
_OTHERS: Final = {
    ATTENTION_OUTPUT: "attention.output.dense",
    UP: "intermediate.dense",
    DOWN: "output.dense",
}


@dataclass(frozen=True, slots=True)
class StoredLayers:
    """Layers and word table of one encoder in a file; the queries are scaled already.

    Attributes:
        weights: what the file holds.
        prefix: of the encoder's tensors.
        settings: the sizes that the tensors must have.
    """

    weights: OnnxWeights
    prefix: str
    settings: EncoderSettings

    @property
    def words(self) -> WordTable:
        """The word embeddings, which stay in the file."""
        return self.weights.words(f"{self.prefix}.embeddings.word_embeddings.weight")

    def linears(self, number: int) -> dict[int, tuple[SmallWeight, FloatArray]]:
        """Return weight and bias of a layer's four linear layers.

        Raises:
            CheckpointError: one is missing or has the wrong shape.
        """
        size, inner = self.settings.hidden_size, self.settings.intermediate_size
        layer = f"{self.prefix}.encoder.layer.{number}."
        shapes = {QUERY_KEY_VALUE: (3 * size, size), ATTENTION_OUTPUT: (size, size)}
        shapes |= {UP: (inner, size), DOWN: (size, inner)}
        names = {QUERY_KEY_VALUE: self._projections(f"{layer}{_ATTENTION}")}
        names |= {which: [f"{layer}{name}"] for which, name in _OTHERS.items()}
        found = {which: self._joined(names[which], shape) for which, shape in shapes.items()}
        self._round_query_scales(found[QUERY_KEY_VALUE][0].scales[:size])
        return found

    def _round_query_scales(self, scales: FloatArray) -> None:
        """Round scales as if the queries had been read without their factor and got it again.

        In 8 bits the last bit of a scale may move a score by 1e-3, and a model has one score whichever way
        its weights are read.
        """
        factor = np.float32(self.settings.head_size**-0.5)
        scales[:] = scales * _LARGEST / factor * factor / _LARGEST

    def _projections(self, attention: str) -> list[str]:
        for spelling in _PROJECTIONS:
            names = [f"{attention}{name}" for name in spelling]
            if all(self.weights.has_stored(name) for name in names):
                return names
        raise CheckpointError(f"the weights lack {attention}query: use a file that labelwise exported")

    def _joined(self, names: Sequence[str], shape: tuple[int, int]) -> tuple[SmallWeight, FloatArray]:
        parts = [self.weights.stored(name) for name in names]
        integers, scales, biases = (_one([part[place] for part in parts]) for place in range(3))
        # Inputs are filled up to whole blocks.
        blocks, block_size = integers.shape[1:]
        is_right = (len(integers), len(biases)) == (shape[0],) * 2 and scales.shape == integers.shape[:2]
        if not is_right or blocks != -(-shape[1] // block_size):
            raise CheckpointError(
                f"the weight {names[0]!r} has shape {integers.shape}, but config.json asks for {shape}: the "
                "weights and the config.json belong to different models"
            )
        rows = integers.reshape(shape[0], -1)[:, : shape[1]]
        return SmallWeight(rows, np.array(scales), block_size), biases


def _one(parts: list[NDArray[Any]]) -> NDArray[Any]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)

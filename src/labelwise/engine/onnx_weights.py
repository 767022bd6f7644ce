"""Read the weights back from an 8-bit ONNX file of labelwise's own, such as the bundled model.

Neither the onnx package nor onnxruntime is loaded. The layout is that of `labelwise.graphs.weighted` with
``weights="int8"`` and ``fused``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from labelwise.checkpoints.widened import WidenedWeights
from labelwise.engine.native import WordTable
from labelwise.errors import CheckpointError
from labelwise.graphs.quantise import ZERO_POINT

__all__ = ["OnnxWeights"]

FloatArray = NDArray[np.float32]


class OnnxWeights(WidenedWeights):
    """The widened weights, and the layers and words as they are stored.

    Raises:
        CheckpointError: the file was not made by labelwise in 8 bits, or is damaged.
    """

    def __init__(self, file: Path, *, score_factor: float) -> None:
        """Take the file; ``score_factor`` is what the queries were multiplied with."""
        super().__init__(file, score_factor=score_factor)
        if not any(name.endswith(".weight.uint8") for name in self._arrays):
            raise CheckpointError(
                f"{file} is not an 8-bit graph of labelwise: its weights cannot be read back"
            )

    def has_stored(self, name: str) -> bool:
        """Tell whether the file holds a linear layer of this name in 8 bits."""
        return f"{name}.weight.uint8" in self._arrays

    def stored(self, name: str) -> tuple[NDArray[np.int8], FloatArray, FloatArray]:
        """Return a linear layer as it is stored: integers [out, blocks, block], scales [out, blocks], bias.

        Raises:
            CheckpointError: the file does not hold it.
        """
        try:
            around_zero_point = self._arrays[f"{name}.weight.uint8"]
            scales, bias = self._arrays[f"{name}.weight.scales"], self._arrays[f"{name}.bias"]
        except KeyError as error:
            raise CheckpointError(f"the weights lack the tensor {error}: export the model again") from None
        integers = np.bitwise_xor(around_zero_point, np.uint8(ZERO_POINT)).view(np.int8)
        return integers, scales.reshape(integers.shape[:2]), bias

    def words(self, name: str) -> WordTable:
        """Return a table of embeddings as it is stored: int8, and a scale per row."""
        return WordTable(self._arrays[f"{name}.int8"], self._arrays[f"{name}.scales"].reshape(-1))

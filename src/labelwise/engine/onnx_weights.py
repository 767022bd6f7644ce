"""Read the weights back from an 8-bit ONNX file of labelwise's own, such as the bundled model.

Neither the onnx package nor onnxruntime is loaded. The layout is that of `labelwise.graphs.weighted` with
``weights="int8"`` and ``fused``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from labelwise.engine.native import WordTable
from labelwise.engine.onnx_arrays import read_arrays
from labelwise.errors import CheckpointError
from labelwise.graphs.quantise import ZERO_POINT

__all__ = ["OnnxWeights"]

FloatArray = NDArray[np.float32]

_MAKER: Final = "labelwise"
# The projections of one attention that were joined to one product, in order; the last layer keeps its
# query apart.
_JOINED: Final = {"query_to_value": ("query", "key", "value"), "key_to_value": ("key", "value")}
_PROJECTION = re.compile(r"(?P<before>.*\.attention\.self\.)(?P<name>query|key|value)$")


class OnnxWeights(Mapping[str, FloatArray]):
    """A BERT-family checkpoint's tensors by their usual names, as float32, computed when asked for.

    Raises:
        CheckpointError: the file was not made by labelwise in 8 bits, or is damaged.
    """

    def __init__(self, file: Path, *, score_factor: float) -> None:
        """Take the file; ``score_factor`` is what the queries were multiplied with."""
        maker, self._arrays = read_arrays(file)
        is_ours = maker == _MAKER and any(name.endswith(".weight.uint8") for name in self._arrays)
        if not is_ours:
            raise CheckpointError(
                f"{file} is not an 8-bit graph of labelwise: its weights cannot be read back"
            )
        self._score_factor = score_factor

    def __getitem__(self, name: str) -> FloatArray:
        base, _, part = name.rpartition(".")
        if part not in ("weight", "bias"):
            return np.asarray(self._arrays[name], dtype=np.float32)
        projection = _PROJECTION.match(base)
        if projection:
            return self._projection(projection["before"], projection["name"], part)
        if part == "weight" and f"{base}.weight.uint8" in self._arrays:
            return self._widened(base)
        if f"{name}.int8" in self._arrays:
            table = self.words(name)
            return table.vectors(np.arange(len(table.rows)))
        weight = self._arrays[name]
        # The head's matrices stand as the product reads them, [in, out]; tables of embeddings do not.
        is_matrix = weight.ndim == 2 and ".embeddings." not in name
        return np.asarray(weight.T if is_matrix else weight, dtype=np.float32)

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __contains__(self, name: object) -> bool:
        base, _, part = str(name).rpartition(".")
        projection = _PROJECTION.match(base)
        if projection and part in ("weight", "bias"):
            base = self._place(projection["before"], projection["name"])[0]
        return any(one in self._arrays for one in (f"{base}.{part}", f"{base}.{part}.uint8", f"{name}.int8"))

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

    def _projection(self, before: str, name: str, part: str) -> FloatArray:
        whole, number, count = self._place(before, name)
        joined = self._widened(whole) if part == "weight" else self._arrays[f"{whole}.bias"]
        rows = np.split(np.asarray(joined, dtype=np.float32), count)[number]
        return rows / np.float32(self._score_factor) if name == "query" else rows

    def _place(self, before: str, name: str) -> tuple[str, int, int]:
        for joined, parts in _JOINED.items():
            if f"{before}{joined}.weight.uint8" in self._arrays and name in parts:
                return f"{before}{joined}", parts.index(name), len(parts)
        return f"{before}{name}", 0, 1

    def _widened(self, base: str) -> FloatArray:
        integers: NDArray[Any] = self._arrays[f"{base}.weight.uint8"]
        scales = self._arrays[f"{base}.weight.scales"].reshape(*integers.shape[:2], 1)
        values = (integers.astype(np.float32) - np.float32(ZERO_POINT)) * scales
        return np.ascontiguousarray(values.reshape(len(integers), -1))

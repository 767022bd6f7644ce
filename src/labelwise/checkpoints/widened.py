"""Read back the weights of an ONNX file that labelwise wrote: as float32, under their usual names.

Neither the onnx package nor onnxruntime is loaded. Known are the layouts of `labelwise.graphs.weighted` and
of ``labelwise export`` in every precision: 8 and 4 bits with a scale per block, tables of rows with a scale
per row, float16, bfloat16 and float32. An integer times its scale is the number that the file's graph reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.onnx_arrays import read_arrays
from labelwise.errors import CheckpointError
from labelwise.graphs.nested import MULTITASK_FAMILY
from labelwise.graphs.quantise import ZERO_POINT
from labelwise.graphs.settings import EncoderSettings

__all__ = ["WidenedWeights", "read_widened"]

FloatArray = NDArray[np.float32]

_MAKER: Final = "labelwise"
# DeBERTa's graphs hold projected positions in place of the weights that made them; joint models' heads are
# rearranged.
_FAMILIES: Final = frozenset({MULTITASK_FAMILY, "bert", "roberta", "xlm-roberta", "camembert"})
# The projections of one attention that were joined to one product, in order; the last layer of a classifier
# keeps its query apart.
_JOINED: Final = {"query_to_value": ("query", "key", "value"), "key_to_value": ("key", "value")}
_PROJECTION = re.compile(r"(?P<before>.*\.attention\.self\.)(?P<name>query|key|value)$")
# What the arrays of one tensor add to its name, and names of the graph's own constants.
_ENDINGS = re.compile(r"(?:\.(?:uint8|int8|bits8|bits4|scales|float16|float32|bfloat16))+$")
_CONSTANT = re.compile(r"(?:int64|float32|index|axis)_")
_FLOATS: Final = ("", ".float32", ".float16", ".bfloat16")
_FOUR_BIT_ZERO_POINT: Final = 8


class WidenedWeights(Mapping[str, FloatArray]):
    """A BERT-family checkpoint's tensors by their usual names, as float32, computed when asked for.

    Where a matrix's inputs are stored in blocks they come filled up to whole blocks, with zeros.

    Raises:
        CheckpointError: labelwise did not build the file's graph, or it is damaged.
    """

    def __init__(self, file: Path, *, score_factor: float) -> None:
        """Take the file; ``score_factor`` is what the queries were multiplied with."""
        stored = read_arrays(file)
        # A graph that torch exported has another name, and its weights other layouts.
        if stored.maker != _MAKER or stored.graph != _MAKER:
            raise CheckpointError(f"{file} holds no graph of labelwise: its weights cannot be read back")
        self._file = file
        self._arrays = stored.by_name
        self._stems = {_ENDINGS.sub("", name) for name in self._arrays if not _CONSTANT.match(name)}
        self._score_factor = score_factor

    def __getitem__(self, name: str) -> FloatArray:
        base, _, part = name.rpartition(".")
        projection = _PROJECTION.match(base)
        if projection and part in ("weight", "bias"):
            return self._projection(projection["before"], projection["name"], part)
        return self._widened(name)

    def __iter__(self) -> Iterator[str]:
        for stem in self._stems:
            base, _, part = stem.rpartition(".")
            before, _, last = base.rpartition(".")
            for name in _JOINED.get(last, (last,)):
                yield f"{before}.{name}.{part}".lstrip(".")

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        base, _, part = str(name).rpartition(".")
        projection = _PROJECTION.match(base)
        if projection and part in ("weight", "bias"):
            base = self._place(projection["before"], projection["name"])[0]
        return f"{base}.{part}" in self._stems

    def _projection(self, before: str, name: str, part: str) -> FloatArray:
        whole, number, count = self._place(before, name)
        rows = np.split(self._widened(f"{whole}.{part}"), count)[number]
        return rows / np.float32(self._score_factor) if name == "query" else rows

    def _place(self, before: str, name: str) -> tuple[str, int, int]:
        for joined, parts in _JOINED.items():
            if f"{before}{joined}.weight" in self._stems and name in parts:
                return f"{before}{joined}", parts.index(name), len(parts)
        return f"{before}{name}", 0, 1

    def _widened(self, name: str) -> FloatArray:
        for form, to_signed in _INTEGERS.items():
            integers = self._arrays.get(f"{name}.{form}")
            if integers is not None:
                return self._scaled(name, form, to_signed(integers))
        values = self._float(name)
        # Matrices stand as the product reads them, [in, out]; tables of embeddings do not.
        is_matrix = values.ndim == 2 and name.endswith(".weight") and ".embeddings." not in name
        return values.T if is_matrix else values

    def _scaled(self, name: str, form: str, signed: NDArray[np.int8]) -> FloatArray:
        """Multiply blocks, or rows, with their scales."""
        owner = name if self._array(f"{name}.scales") is not None else f"{name}.{form}"
        scales = self._float(f"{owner}.scales").reshape(*signed.shape[:-1], 1)
        return np.ascontiguousarray((signed * scales).reshape(len(signed), -1))

    def _float(self, name: str) -> FloatArray:
        array = self._array(name)
        if array is None:
            raise CheckpointError(f"{self._file} lacks the tensor {name!r}: export the model again")
        return np.asarray(array, dtype=np.float32)

    def _array(self, name: str) -> NDArray[Any] | None:
        found = (self._arrays.get(f"{name}{form}") for form in _FLOATS)
        return next((array for array in found if array is not None), None)


def read_widened(checkpoint: Checkpoint) -> WidenedWeights:
    """Return the weights of a checkpoint's ONNX file.

    Raises:
        CheckpointError: they cannot be read back; the message says why.
    """
    only = f"{checkpoint.ref!r} has only ONNX weights"
    if checkpoint.family not in _FAMILIES:
        raise CheckpointError(f"{only}, which cannot be read back for model_type {checkpoint.family!r}")
    factor = EncoderSettings.from_config(checkpoint.config).head_size ** -0.5
    try:
        return WidenedWeights(checkpoint.onnx_files[0], score_factor=factor)
    except CheckpointError as error:
        raise CheckpointError(f"{only}, and {error}") from error


def _around_zero(integers: NDArray[Any]) -> NDArray[np.int8]:
    signed: NDArray[np.int8] = np.bitwise_xor(integers, np.uint8(ZERO_POINT)).view(np.int8)
    return signed


def _four_bits(packed: NDArray[Any]) -> NDArray[np.int8]:
    """Unpack two inputs from a byte, the earlier one from its lower half."""
    halves = np.stack([packed & 0xF, packed >> 4], axis=-1).reshape(*packed.shape[:-1], -1)
    return halves.astype(np.int8) - np.int8(_FOUR_BIT_ZERO_POINT)


def _as_signed(integers: NDArray[Any]) -> NDArray[np.int8]:
    return integers.astype(np.int8, copy=False)


# How each form of integers is turned into signed ones.
_INTEGERS: Final[Mapping[str, Callable[[NDArray[Any]], NDArray[np.int8]]]] = {
    "uint8": _around_zero, "bits8": _around_zero, "bits4": _four_bits, "int8": _as_signed
}  # fmt: skip

"""What a weight file holds, from its header: precision, data types, number of parameters."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labelwise.checkpoints.onnx_file import Initializer, read_initializers
from labelwise.checkpoints.safetensors_file import read_header

__all__ = ["StoredWeights", "read_stored_weights"]

_SAFETENSORS_DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
# The endings that optimum, transformers.js and onnxruntime give to names.
_PRECISION_OF_NAME = {
    "q4f16": "q4f16", "q4": "q4", "bnb4": "q4", "fp16": "float16", "float16": "float16", "bf16": "bfloat16",
    "int8": "int8", "uint8": "int8", "quantized": "int8", "fp32": "float32",
}  # fmt: skip
_NAME_ENDING = re.compile(rf"[_-]({'|'.join(_PRECISION_OF_NAME)})(?:[_-][\w-]*)?\.onnx")
_PRECISION_OF_DTYPE = {"uint8": "int8", "uint4": "q4", "int4": "q4"}
# What quantising adds; the parameters are the numbers that it stands beside.
_SCALE = re.compile(r"(?:scales?|zero_points?|_zp)$")


@dataclass(frozen=True, slots=True)
class StoredWeights:
    """The header of one weight file.

    Attributes:
        precision: what most of the parameters are stored in: "float32", "float16", "bfloat16", "int8", "q4",
            "q4f16"; "mixed" for none of them, "unknown" when the file stores no parameters.
        num_values_by_dtype: stored numbers by numpy's name of their type.
        num_parameters: None where several are packed into one stored number.
    """

    file: str
    precision: str
    num_values_by_dtype: Mapping[str, int]
    num_parameters: int | None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return {
            "file": self.file,
            "precision": self.precision,
            "num_values_by_dtype": dict(self.num_values_by_dtype),
            "num_parameters": self.num_parameters,
        }


def read_stored_weights(folder: Path, file: Path) -> StoredWeights:
    """Read the header of a safetensors or ONNX file.

    Raises:
        CheckpointError: the file is damaged or not what its name says.
    """
    name = file.relative_to(folder).as_posix()
    if file.suffix == ".onnx":
        return _of_onnx(name, read_initializers(file))
    counts: Counter[str] = Counter()
    for tensor in read_header(file).values():
        dtype = _SAFETENSORS_DTYPES.get(tensor.dtype, tensor.dtype.lower())
        counts[dtype] += math.prod(tensor.shape)
    parameters = _parameters(counts)
    return StoredWeights(name, _largest(parameters), dict(counts), sum(parameters.values()))


def _of_onnx(name: str, initializers: tuple[Initializer, ...]) -> StoredWeights:
    counts: Counter[str] = Counter()
    parameters: Counter[str] = Counter()
    for initializer in initializers:
        counts[initializer.dtype] += math.prod(initializer.shape)
        # A number without axes is a constant of the graph.
        if initializer.shape and not _SCALE.search(initializer.name):
            parameters[initializer.dtype] += math.prod(initializer.shape)
    parameters = _parameters(parameters)
    ending = _NAME_ENDING.search(name)
    precision = _PRECISION_OF_NAME[ending.group(1)] if ending else _largest(parameters)
    is_packed = precision.startswith("q4")
    return StoredWeights(name, precision, dict(counts), None if is_packed else sum(parameters.values()))


def _parameters(counts: Counter[str]) -> Counter[str]:
    """Leave out what no model learns: indices, masks and shapes."""
    learned = ("float", "bfloat", "int8", "uint8", "int4", "uint4", "f8")
    return Counter({dtype: number for dtype, number in counts.items() if dtype.startswith(learned)})


def _largest(parameters: Counter[str]) -> str:
    by_precision: Counter[str] = Counter()
    for dtype, number in parameters.items():
        by_precision[_PRECISION_OF_DTYPE.get(dtype, dtype)] += number
    if not by_precision.total():
        return "unknown"
    precision, number = by_precision.most_common(1)[0]
    return precision if 2 * number > by_precision.total() else "mixed"

"""One encoder inside the library: arrays go in and come out, the names and shapes are the library's."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from labelwise.engine.library import instruction_set, load_library
from labelwise.engine.small_weights import SmallWeight
from labelwise.errors import BackendError

__all__ = [
    "ACTIVATIONS",
    "ATTENTION_OUTPUT",
    "DOWN",
    "KEY_TABLE",
    "QUERY_KEY_VALUE",
    "QUERY_TABLE",
    "UP",
    "EncoderShape",
    "NativeEncoder",
    "PackedBatch",
    "WordTable",
]

FloatArray = NDArray[np.float32]

# Names in config.json to the library's numbers.
ACTIVATIONS: Final = {
    "none": 0,
    **dict.fromkeys(("gelu", "gelu_python"), 1),
    **dict.fromkeys(("gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu_python_tanh"), 2),
    "relu": 3,
    "tanh": 4,
    "sigmoid": 5,
    **dict.fromkeys(("silu", "swish"), 6),
}
QUERY_KEY_VALUE, ATTENTION_OUTPUT, UP, DOWN = range(4)
_LINEARS_PER_LAYER = 4
_NORMS_PER_LAYER = 2
KEY_TABLE, QUERY_TABLE = range(2)
# How word embeddings may be stored; uint16 holds the bits of bfloat16.
_WORD_KINDS: Final = {"float32": 0, "int8": 1, "float16": 2, "uint16": 3}
_REASONS = {1: "a token, type or position is not in the model's tables", 2: "there is not enough memory"}


@dataclass(frozen=True, slots=True)
class EncoderShape:
    """The sizes of an encoder, and how many linear layers stand on top of it."""

    hidden_size: int
    num_heads: int
    intermediate_size: int
    num_layers: int
    norm_epsilon: float
    num_top_layers: int


@dataclass(frozen=True, slots=True)
class WordTable:
    """The word embeddings [words, hidden]; they are not copied, so a mapped file stays where it is.

    Attributes:
        rows: float32, float16, bfloat16 as its bits in uint16, or int8.
        scales: a scale per word, where the rows are int8.
    """

    rows: NDArray[Any]
    scales: FloatArray | None = None

    def vectors(self, ids: NDArray[np.int64]) -> FloatArray:
        """Return some rows as float32, [ids, hidden].

        Example:
            >>> bits = np.array([[0x3FC0, 0xC000]], dtype=np.uint16)
            >>> WordTable(bits).vectors(np.array([0])).tolist()
            [[1.5, -2.0]]
        """
        rows = self.rows[ids]
        if rows.dtype == np.uint16:
            return (rows.astype(np.uint32) << 16).view(np.float32)
        vectors: FloatArray = rows.astype(np.float32)
        return vectors if self.scales is None else vectors * self.scales[ids, None]


@dataclass(frozen=True, slots=True)
class PackedBatch:
    """Sequences end to end.

    Attributes:
        offsets: [sequences + 1]: where each begins, and the number of tokens.
        ids: [tokens], as are the next three.
        positions: Rows of the table of positions; None where the model has none.
        types: None for type 0.
        segments: A token sees the tokens of segment 0 and of its own; None lets it see all of its sequence.
        kept: The rows whose last states are asked for, ascending; None for all.
    """

    offsets: NDArray[np.int64]
    ids: NDArray[np.int64]
    positions: NDArray[np.int64] | None = None
    types: NDArray[np.int64] | None = None
    segments: NDArray[np.int32] | None = None
    kept: NDArray[np.int64] | None = None


class _Shape(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("hidden", "heads", "inner", "layers")),
        ("epsilon", ctypes.c_float),
    ]


class _Embeddings(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("vocabulary", "num_positions", "num_types", "word_kind")),
        *(
            (name, ctypes.c_void_p)
            for name in ("words", "word_scales", "positions", "types", "norm_weight", "norm_bias")
        ),
    ]


class _Batch(ctypes.Structure):
    _fields_ = [
        ("num_sequences", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("offsets", "ids", "positions", "types", "segments")),
        ("num_kept", ctypes.c_int64),
        ("kept", ctypes.c_void_p),
    ]


class NativeEncoder:
    """An encoder in the library's memory; safe to run from many threads at once.

    Raises:
        BackendError: there is no library, or memory runs out.
        InputError: the instruction set that the environment asks for is not there.
    """

    def __init__(self, shape: EncoderShape, *, threads: int) -> None:
        library = load_library()
        if library is None:
            raise BackendError(
                "the packed engine is not part of this installation: install labelwise where a C++ compiler "
                "is, or use backend='onnx'"
            )
        self._library = library
        self._shape = shape
        self._handle = ctypes.c_void_p()
        # A forked process has the encoder without its threads: only its maker may take it down.
        self._owner = os.getpid()
        self._kept_alive: list[object] = []
        self._sizes_out: dict[int, int] = {}
        self.instruction_set = instruction_set(library)
        given = _Shape(
            *(shape.hidden_size, shape.num_heads, shape.intermediate_size, shape.num_layers),
            shape.norm_epsilon,
        )
        name = self.instruction_set.encode()
        made = library.lw_encoder_new(
            name, threads, ctypes.byref(given), shape.num_top_layers, ctypes.byref(self._handle)
        )
        _check(made)

    def __del__(self, getpid: Callable[[], int] = os.getpid) -> None:
        # A default, since the module os may be gone before this object when the interpreter ends.
        if getattr(self, "_handle", None) and getpid() == self._owner:
            self._library.lw_encoder_free(self._handle)

    def set_embeddings(
        self,
        words: WordTable,
        *,
        positions: FloatArray | None,
        types: FloatArray | None,
        norm: tuple[FloatArray, FloatArray],
    ) -> None:
        """Give the tables, each [rows, hidden], and the norm's weight and bias; None where there is none."""
        rows = np.ascontiguousarray(words.rows)
        scales = None if words.scales is None else _floats(words.scales)
        self._kept_alive += [rows, scales]
        arrays = [None if table is None else _floats(table) for table in (positions, types, *norm)]
        given = _Embeddings(
            len(rows),
            0 if positions is None else len(positions),
            0 if types is None else len(types),
            _WORD_KINDS[rows.dtype.name],
            _address(rows),
            _address(scales),
            *map(_address, arrays),
        )
        _check(self._library.lw_encoder_set_embeddings(self._handle, ctypes.byref(given)))

    def set_layer(
        self,
        layer: int,
        which: int,
        weight: FloatArray | SmallWeight,
        bias: FloatArray,
        activation: str = "none",
    ) -> None:
        """Give one of a layer's four linear layers; the weight is [out, in]."""
        self._set_linear(layer * _LINEARS_PER_LAYER + which, weight, bias, activation)

    def set_top(self, number: int, weight: FloatArray, bias: FloatArray, activation: str = "none") -> None:
        """Give one of the linear layers on top of the encoder."""
        self._set_linear(self._shape.num_layers * _LINEARS_PER_LAYER + number, weight, bias, activation)

    def set_norms(self, layer: int, *norms: tuple[FloatArray, FloatArray]) -> None:
        """Give weight and bias of the norm behind the attention and of the one behind the feed-forward."""
        for which, (weight, bias) in enumerate(norms):
            arrays = _floats(weight), _floats(bias)
            number = layer * _NORMS_PER_LAYER + which
            _check(self._library.lw_encoder_set_norm(self._handle, number, *map(_address, arrays)))

    def set_table(
        self, layer: int, which: int, projected: FloatArray, row_of_column: NDArray[np.int64]
    ) -> None:
        """Give projected relative positions [rows, hidden] and the row of each distance, -reach to reach."""
        table, rows = _floats(projected), np.ascontiguousarray(row_of_column, dtype=np.int64)
        reach = len(row_of_column) // 2
        _check(
            self._library.lw_encoder_set_table(
                self._handle, layer, which, _address(table), _address(rows), reach
            )
        )

    def run(self, batch: PackedBatch) -> FloatArray:
        """Return the last layer's states of the kept rows, [kept, hidden].

        Raises:
            BackendError: a number in the batch is outside the model's tables.
        """
        num_rows = len(batch.ids) if batch.kept is None else len(batch.kept)
        states = np.empty((num_rows, self._shape.hidden_size), dtype=np.float32)
        kept = None if batch.kept is None else np.ascontiguousarray(batch.kept, dtype=np.int64)
        whole = [
            None if part is None else np.ascontiguousarray(part, dtype=np.int64)
            for part in (batch.offsets, batch.ids, batch.positions, batch.types)
        ]
        segments = None if batch.segments is None else np.ascontiguousarray(batch.segments, dtype=np.int32)
        given = _Batch(
            len(batch.offsets) - 1,
            *map(_address, whole),
            _address(segments),
            -1 if kept is None else len(kept),
            _address(kept),
        )
        _check(self._library.lw_encoder_run(self._handle, ctypes.byref(given), _address(states)))
        return states

    def apply_top(self, number: int, rows: FloatArray) -> FloatArray:
        """Apply one of the linear layers on top to rows [count, in]."""
        number += self._shape.num_layers * _LINEARS_PER_LAYER
        given = _floats(rows)
        result = np.empty((len(given), self._sizes_out[number]), dtype=np.float32)
        _check(
            self._library.lw_encoder_apply(
                self._handle, number, _address(given), len(given), _address(result)
            )
        )
        return result

    def _set_linear(
        self, number: int, weight: FloatArray | SmallWeight, bias: FloatArray, activation: str
    ) -> None:
        kind = ACTIVATIONS[activation]
        self._sizes_out[number] = len(bias)
        added = _floats(bias)
        if isinstance(weight, SmallWeight):
            integers, scales = np.ascontiguousarray(weight.integers), _floats(weight.scales.T)
            shape = (*integers.shape, kind, weight.group_size)
            arrays = _address(integers), _address(scales), _address(added)
            _check(self._library.lw_encoder_set_linear_s8(self._handle, number, *shape, *arrays))
        else:
            floats = _floats(weight)
            shape_and_kind = (*floats.shape, kind)
            addresses = _address(floats), _address(added)
            _check(self._library.lw_encoder_set_linear(self._handle, number, *shape_and_kind, *addresses))


def _floats(array: NDArray[Any]) -> FloatArray:
    return np.ascontiguousarray(array, dtype=np.float32)


def _address(array: NDArray[Any] | None) -> int | None:
    return None if array is None else int(array.ctypes.data)


def _check(outcome: int) -> None:
    if outcome:
        raise BackendError(f"the packed engine failed: {_REASONS.get(outcome, 'for a reason of its own')}")

"""Find the engine's library and describe its functions to ctypes."""

from __future__ import annotations

import ctypes
import functools
import os
from pathlib import Path

from labelwise.engine.compiling import LIBRARY_NAME
from labelwise.errors import InputError

__all__ = ["has_library", "instruction_set", "load_library"]

_VERSION = 2
_OFF = "LABELWISE_NO_ENGINE"
_ELSEWHERE = "LABELWISE_ENGINE_LIBRARY"
_INSTRUCTION_SET = "LABELWISE_ENGINE_ISA"

_number, _small = ctypes.c_int64, ctypes.c_int32
_array, _name = ctypes.c_void_p, ctypes.c_char_p
_FUNCTIONS = {
    "lw_encoder_new": (_name, _number, _array, _number, _array),
    "lw_encoder_set_embeddings": (_array, _array),
    "lw_encoder_set_linear": (_array, _number, _number, _number, _small, _array, _array),
    "lw_encoder_set_linear_s8": (
        *(_array, _number, _number, _number, _small, _number, _array, _array, _array),
    ),
    "lw_encoder_set_norm": (_array, _number, _array, _array),
    "lw_encoder_set_table": (_array, _number, _small, _array, _array, _number),
    "lw_encoder_run": (_array, _array, _array),
    "lw_encoder_apply": (_array, _number, _array, _number, _array),
}


def has_library() -> bool:
    """Tell whether this installation has a library that loads, and it is not switched off."""
    return load_library() is not None


def load_library() -> ctypes.CDLL | None:
    """Load the library once; None where it is missing, of another version, or switched off.

    ``LABELWISE_NO_ENGINE=1`` switches it off; ``LABELWISE_ENGINE_LIBRARY`` names one in another place.
    """
    if os.environ.get(_OFF, "0") not in ("", "0"):
        return None
    return _load(os.environ.get(_ELSEWHERE) or str(Path(__file__).parent / LIBRARY_NAME))


def instruction_set(library: ctypes.CDLL) -> str:
    """Return what the kernels run with: the best that library and processor share.

    ``LABELWISE_ENGINE_ISA`` (plain, avx2, avx512, avx512_vnni) asks for another.

    Raises:
        InputError: the one asked for is not there.
    """
    wanted = os.environ.get(_INSTRUCTION_SET, "")
    found = library.lw_instruction_set(wanted.encode())
    if found is None:
        raise InputError(f"{_INSTRUCTION_SET}={wanted!r} is not there on this processor: leave it out")
    return str(found.decode())


@functools.cache
def _load(file: str) -> ctypes.CDLL | None:
    if not Path(file).is_file():
        return None
    try:
        library = ctypes.CDLL(file)
        if library.lw_version() != _VERSION:
            return None
        for name, arguments in _FUNCTIONS.items():
            function = getattr(library, name)
            function.argtypes, function.restype = arguments, _small
    except (OSError, AttributeError):  # for another system, or not an engine
        return None
    library.lw_instruction_set.argtypes, library.lw_instruction_set.restype = (_name,), _name
    library.lw_encoder_free.argtypes, library.lw_encoder_free.restype = (_array,), None
    return library

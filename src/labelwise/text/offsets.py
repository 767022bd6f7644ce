"""Character spans of tokens, made fit to be cut out and read."""

from __future__ import annotations

import sys
import unicodedata

import numpy as np
from numpy.typing import NDArray

__all__ = ["readable_spans"]

# By code point; the last place, False, stands for every code point from there on.
_IS_WHITE_SPACE = np.array([chr(code).isspace() for code in range(0x3002)])
_UTF_32 = "utf-32-le" if sys.byteorder == "little" else "utf-32-be"


def readable_spans(text: str, spans: NDArray[np.int64]) -> NDArray[np.int64]:
    """Cut white space off both ends of each span, and give a letter the combining marks that its token lost.

    A span of nothing but white space stays as it is.

    Args:
        text: without lone surrogates.
        spans: shape (n, 2), end exclusive, in order.
    """
    if not len(spans):
        return spans
    return _without_white_space(text, spans if text.isascii() else _with_marks(text, spans))


def _with_marks(text: str, spans: NDArray[np.int64]) -> NDArray[np.int64]:
    is_mark = np.fromiter(
        (unicodedata.combining(character) > 0 for character in text), dtype=np.bool_, count=len(text)
    )
    if not is_mark.any():
        return spans
    past_marks = _next_place(~is_mark)[spans[:, 1]]
    # A mark that is a token of its own stays with that token.
    next_starts = np.append(spans[1:, 0], len(text))
    ends = np.where((spans[:, 0] < spans[:, 1]) & (past_marks <= next_starts), past_marks, spans[:, 1])
    return np.stack([spans[:, 0], ends], axis=1)


def _without_white_space(text: str, spans: NDArray[np.int64]) -> NDArray[np.int64]:
    codes = np.frombuffer(text.encode(_UTF_32), dtype=np.uint32)
    is_space = _IS_WHITE_SPACE[np.minimum(codes, len(_IS_WHITE_SPACE) - 1)]
    # One place more, so that empty spans at either end of the text have something to look at.
    touches = np.append(is_space, False)[spans - (0, 1)]
    if not touches.any():
        return spans
    starts = _next_place(~is_space)[spans[:, 0]]
    past_last_ink = np.maximum.accumulate(np.append(0, np.where(is_space, 0, np.arange(1, len(text) + 1))))
    ends = past_last_ink[spans[:, 1]]
    return np.where((starts < ends)[:, None], np.stack([starts, ends], axis=1), spans)


def _next_place(holds: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each place, and the end: the first place from there on where the claim holds, else the end."""
    places = np.where(holds, np.arange(len(holds)), len(holds))
    return np.minimum.accumulate(np.append(places, len(holds))[::-1])[::-1]

"""Normalise text as SentencePiece does, keeping track of where every character came from.

The ``tokenizers`` library has such a step (Precompiled), but it works by grapheme, so decomposed kana and
Hangul come out differently. This one follows SentencePiece's own rule: the longest match at each place.
"""

from __future__ import annotations

import re
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import CheckpointError

__all__ = ["WORD_MARK", "CharacterMap", "NormalizedText", "SentencePieceNormalizer"]

WORD_MARK = "\u2581"
_SPACE = ord(" ")
_DAMAGED = "the SentencePiece model's character map is damaged: download it again"
_UTF_32 = "utf-32-le" if sys.byteorder == "little" else "utf-32-be"


@dataclass(frozen=True, slots=True)
class NormalizedText:
    """What the model reads; character i of ``text`` came from ``[starts[i], ends[i])`` of the original."""

    text: str
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    def original_spans(self, spans: NDArray[np.int64]) -> NDArray[np.int64]:
        """Turn spans of the normalised text, none empty, into spans of the original; shape (n, 2)."""
        return np.stack([self.starts[spans[:, 0]], self.ends[spans[:, 1] - 1]], axis=1)


class CharacterMap:
    """The ``precompiled_charsmap`` of a SentencePiece model: a double-array trie from UTF-8 keys to text.

    Raises:
        CheckpointError: the map is damaged.
    """

    def __init__(self, blob: bytes) -> None:
        self._units: tuple[int, ...] = ()
        self._replacements = b""
        if blob:
            (size,) = struct.unpack_from("<I", blob.ljust(4, b"\0"))
            if size % 4 or not 4 <= size <= len(blob) - 4:
                raise CheckpointError(_DAMAGED)
            self._units = struct.unpack_from(f"<{size // 4}I", blob, 4)
            self._replacements = blob[4 + size :]
        # Bounded, as a text may hold any of a million code points.
        self._step: Callable[[int, str], tuple[int, str | None] | None] = lru_cache(maxsize=1 << 16)(
            self._walk
        )
        self.changed_ascii = "".join(filter(self._changes_ascii, map(chr, range(128))))

    def longest_match(self, text: str, start: int) -> tuple[int, str]:
        """Return how many characters from ``start`` are replaced, and by what (no match keeps one)."""
        length, replacement = 1, text[start]
        node = self._root()
        for place in range(start, len(text)):
            step = self._step(node, text[place])
            if step is None:
                break
            node, value = step
            if value is not None:
                length, replacement = place - start + 1, value
        return length, replacement

    def _changes_ascii(self, character: str) -> bool:
        """Tell whether a character can change in a text that is all ASCII."""
        step = self._step(self._root(), character)
        if step is None:
            return False
        node, value = step
        return value is not None or any(self._walk(node, chr(code)) for code in range(128))

    def _root(self) -> int:
        return _child_offset(self._units[0]) if self._units else 0

    def _walk(self, node: int, character: str) -> tuple[int, str | None] | None:
        """Follow one character: (next node, replacement if a key ends here), or None where no key goes on."""
        value = None
        for byte in character.encode():
            node ^= byte
            if node >= len(self._units) or self._units[node] & 0x800000FF != byte:
                return None
            unit = self._units[node]
            node ^= _child_offset(unit)
            value = self._replacement(node) if unit >> 8 & 1 else None
        return node, value

    def _replacement(self, leaf: int) -> str:
        try:
            start = self._units[leaf] & 0x7FFFFFFF
            return self._replacements[start : self._replacements.index(b"\0", start)].decode()
        except (IndexError, ValueError) as error:
            raise CheckpointError(_DAMAGED) from error


def _child_offset(unit: int) -> int:
    return unit >> 10 << ((unit & 1 << 9) >> 6)


class SentencePieceNormalizer:
    """Map characters, join runs of spaces, mark where words begin."""

    def __init__(
        self, charsmap: bytes, *, adds_dummy_prefix: bool = True, removes_extra_spaces: bool = True
    ) -> None:
        self._map = CharacterMap(charsmap)
        self._adds_dummy_prefix = adds_dummy_prefix
        self._removes_extra_spaces = removes_extra_spaces
        changed = f"[{re.escape(self._map.changed_ascii)}]+|" if self._map.changed_ascii else ""
        # Between two matches all is ASCII and stays as it is; a character before a non-ASCII one may join it.
        self._may_change = re.compile(f"{changed}[\0-\x7f]?[^\0-\x7f]+")

    def normalize(self, text: str) -> NormalizedText:
        """Normalise one text (without lone surrogates); it comes back empty if nothing visible is in it."""
        codes, starts, ends = self._map_characters(text)
        is_space = codes == _SPACE
        if self._removes_extra_spaces:
            kept = _without_extra_spaces(is_space)
            codes, starts, ends, is_space = codes[kept], starts[kept], ends[kept], is_space[kept]
        # A space belongs to the word after it, but a span should begin with the word.
        starts[:-1][is_space[:-1]] = starts[1:][is_space[:-1]]
        ends[is_space] = starts[is_space]
        np.maximum.accumulate(ends, out=ends)
        marked = codes.tobytes().decode(_UTF_32).replace(" ", WORD_MARK)
        if self._adds_dummy_prefix and marked:
            marked = WORD_MARK + marked
            starts, ends = np.insert(starts, 0, starts[0]), np.insert(ends, 0, starts[0])
        return NormalizedText(marked, starts, ends)

    def _map_characters(self, text: str) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.int64]]:
        mapped: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        place = 0
        for match in self._may_change.finditer(text):
            mapped.append(text[place : match.start()])
            starts.extend(range(place, match.start()))
            ends.extend(range(place + 1, match.start() + 1))
            place = max(place, match.start())
            while place < match.end():
                length, replacement = self._map.longest_match(text, place)
                mapped.append(replacement)
                starts.extend([place] * len(replacement))
                place += length
                ends.extend([place] * len(replacement))
        mapped.append(text[place:])
        starts.extend(range(place, len(text)))
        ends.extend(range(place + 1, len(text) + 1))
        codes = np.frombuffer("".join(mapped).encode(_UTF_32), dtype=np.uint32)
        return codes, np.array(starts, dtype=np.int64), np.array(ends, dtype=np.int64)


def _without_extra_spaces(is_space: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep all but the spaces at both ends and, of each run between words, the last space."""
    kept = ~is_space
    if not kept.any():
        return kept
    followed_by_ink = np.append(kept[1:], False)
    seen_ink = np.logical_or.accumulate(kept)
    return kept | (followed_by_ink & seen_ink)

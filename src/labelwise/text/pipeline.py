"""From text to ids and spans: the tokenizers library alone, or behind SentencePiece's own normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from labelwise.text.sentencepiece_text import NormalizedText, SentencePieceNormalizer

__all__ = ["Pipeline", "PublishedPipeline", "SentencePiecePipeline"]

_IdsAndSpans = tuple[NDArray[np.int64], NDArray[np.int64]]


class Pipeline(Protocol):
    """Text in; ids, shape (n,), and character spans, shape (n, 2), out."""

    def encode_many(self, texts: Sequence[str]) -> list[_IdsAndSpans]:
        """Encode each text alone."""
        ...


class PublishedPipeline:
    """A tokenizer.json as it was published."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def encode_many(self, texts: Sequence[str]) -> list[_IdsAndSpans]:
        """Encode each text alone."""
        encodings = _encode(self._tokenizer, texts)
        return [(np.array(each.ids, dtype=np.int64), _spans(each)) for each in encodings]


class SentencePiecePipeline:
    """A SentencePiece Unigram model: normalise here, run the lattice there, spell unknown text in bytes.

    Args:
        tokenizer: without a normalizer.
        normalizer: of the same model.
        unk_id: the id of what the lattice does not know.
        byte_ids: the ids of the pieces ``<0x00>`` to ``<0xFF>``, or None where unknown text stays unknown.
    """

    # The library could fall back to bytes itself, but then the text "<0x41>" would match the piece.

    def __init__(
        self,
        tokenizer: Tokenizer,
        normalizer: SentencePieceNormalizer,
        *,
        unk_id: int,
        byte_ids: Sequence[int] | None = None,
    ) -> None:
        self._tokenizer = tokenizer
        self._normalizer = normalizer
        self._unk_id = unk_id
        self._byte_ids = None if byte_ids is None else np.array(byte_ids, dtype=np.int64)

    def encode_many(self, texts: Sequence[str]) -> list[_IdsAndSpans]:
        """Encode each text alone."""
        normalized = [self._normalizer.normalize(text) for text in texts]
        encodings = _encode(self._tokenizer, [each.text for each in normalized])
        return [self._spelled(*pair) for pair in zip(normalized, encodings, strict=True)]

    def _spelled(self, normalized: NormalizedText, encoding: Encoding) -> _IdsAndSpans:
        ids, spans = np.array(encoding.ids, dtype=np.int64), _spans(encoding)
        if self._byte_ids is not None and (ids == self._unk_id).any():
            ids, spans = self._with_bytes(normalized.text, ids, spans, self._byte_ids)
        return ids, normalized.original_spans(spans)

    def _with_bytes(
        self, text: str, ids: NDArray[np.int64], spans: NDArray[np.int64], byte_ids: NDArray[np.int64]
    ) -> _IdsAndSpans:
        """Replace each unknown id by its characters' bytes; the bytes of a character share its span."""
        utf8 = np.frombuffer(text.encode(), dtype=np.uint8)
        begins_character = (utf8 & 0xC0) != 0x80
        first_byte = np.append(np.flatnonzero(begins_character), len(utf8))
        is_unknown = ids == self._unk_id
        sizes = np.where(is_unknown, first_byte[spans[:, 1]] - first_byte[spans[:, 0]], 1)
        is_spelled = np.repeat(is_unknown, sizes)
        # Position i of a spelled run is byte i of the run: count on from where the run begins in both rows.
        run_starts = np.cumsum(sizes) - sizes
        places = np.arange(len(is_spelled)) + np.repeat(first_byte[spans[:, 0]] - run_starts, sizes)
        spelled = places[is_spelled]
        characters = (np.cumsum(begins_character) - 1)[spelled]
        ids, spans = np.repeat(ids, sizes), np.repeat(spans, sizes, axis=0)
        ids[is_spelled] = byte_ids[utf8[spelled]]
        spans[is_spelled] = np.stack([characters, characters + 1], axis=1)
        return ids, spans


def _encode(tokenizer: Tokenizer, texts: Sequence[str]) -> list[Encoding]:
    # A batch of one would wake the library's thread pool for nothing.
    if len(texts) == 1:
        return [tokenizer.encode(texts[0], add_special_tokens=False)]
    return tokenizer.encode_batch(list(texts), add_special_tokens=False)


def _spans(encoding: Encoding) -> NDArray[np.int64]:
    return np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)

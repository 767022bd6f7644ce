"""The tokenizer.json that each family's older files amount to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labelwise.text.sentencepiece_file import PieceKind, SentencePieceFile
from labelwise.text.sentencepiece_text import WORD_MARK

__all__ = ["byte_level_spec", "deberta_spec", "wordpiece_spec", "xlm_roberta_spec"]


def wordpiece_spec(
    vocab: Mapping[str, int], *, unk: str, lowercase: bool, strip_accents: bool | None, splits_chinese: bool
) -> dict[str, Any]:
    """BERT's ``vocab.txt``."""
    return {
        "version": "1.0",
        "added_tokens": [],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": splits_chinese,
            "strip_accents": strip_accents,
            "lowercase": lowercase,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {
            "type": "WordPiece",
            "unk_token": unk,
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": vocab,
        },
    }


def byte_level_spec(
    vocab: Mapping[str, int], merges: Sequence[Sequence[str]], *, adds_prefix_space: bool
) -> dict[str, Any]:
    """GPT-2's ``vocab.json`` and ``merges.txt``, as RoBERTa, BART and DeBERTa-v1 use them."""
    return {
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": {
            "type": "ByteLevel",
            "add_prefix_space": adds_prefix_space,
            "trim_offsets": True,
            "use_regex": True,
        },
        "model": {"type": "BPE", "vocab": vocab, "merges": merges},
    }


def deberta_spec(model: SentencePieceFile, *, mask: str) -> dict[str, Any]:
    """DeBERTa-v2's and v3's ``spm.model``: ids as in the file, and the mask token after the last piece."""
    pieces = _scored(model)
    unk_id = next((i for i, (_, _, kind) in enumerate(model.pieces) if kind == PieceKind.UNKNOWN), None)
    spec = _unigram_spec(pieces, unk_id=unk_id)
    if all(piece != mask for piece, _ in pieces):
        spec["added_tokens"].append(_special(mask, len(pieces)))
    return spec


def xlm_roberta_spec(model: SentencePieceFile) -> dict[str, Any]:
    """XLM-RoBERTa's ``sentencepiece.bpe.model``: fairseq's four ids first, the file's first three dropped."""
    control = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    return _unigram_spec([*control, *_scored(model)[3:], ("<mask>", 0.0)], unk_id=3)


def _unigram_spec(pieces: list[tuple[str, float]], *, unk_id: int | None) -> dict[str, Any]:
    # Splitting at word marks keeps the lattice short; pieces that run over a mark need the whole text.
    crosses_words = any(
        WORD_MARK in piece.lstrip(WORD_MARK) or piece.startswith(WORD_MARK * 2) for piece, _ in pieces
    )
    split = {"type": "Metaspace", "replacement": WORD_MARK, "prepend_scheme": "never", "split": True}
    return {
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": None if crosses_words else split,
        "model": {"type": "Unigram", "unk_id": unk_id, "vocab": pieces, "byte_fallback": False},
    }


def _scored(model: SentencePieceFile) -> list[tuple[str, float]]:
    best = max((score for _, score, kind in model.pieces if kind == PieceKind.NORMAL), default=0.0)
    # SentencePiece itself scores user-defined pieces so that they always win.
    return [
        (piece, len(piece.encode()) * best - 0.1 if kind == PieceKind.USER_DEFINED else score)
        for piece, score, kind in model.pieces
    ]


def _special(content: str, number: int) -> dict[str, Any]:
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return {"id": number, "content": content, "special": True, **flags}

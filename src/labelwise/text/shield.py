"""Rename control entries in a tokenizer.json to names that no text can spell.

Turning special-token parsing off is not enough: ``[CLS]`` is an ordinary piece of a Unigram lattice, a BPE
merge or a whole WordPiece word may spell it, and added tokens that are not flagged special are always parsed.
Renaming the entry closes every one of these ways at once and leaves all ids where they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["make_encodable", "shield"]

# A noncharacter: Unicode keeps it for internal use, so text that holds it loses nothing when it is replaced.
_MARK = "\U0010ffff"
_NOT_ENCODABLE = re.compile(f"[\ud800-\udfff{_MARK}]")


def make_encodable(text: str) -> str:
    """Replace lone surrogates (no UTF-8) and the mark of renamed entries by U+FFFD, one for one."""
    return text if text.isascii() else _NOT_ENCODABLE.sub("\ufffd", text)


def shield(spec: Mapping[str, Any], names: Sequence[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the spec with ``names`` renamed, and name -> new name.

    Truncation, padding and the post-processor go as well: the layouts add control ids, nothing else does.
    """
    renamed = {name: f"{_MARK}{index}" for index, name in enumerate(names)}
    shielded = {
        **spec,
        "truncation": None,
        "padding": None,
        "post_processor": None,
        "added_tokens": [_shield_added(token, renamed) for token in spec["added_tokens"]],
        "model": _shield_model(spec["model"], renamed),
    }
    return shielded, renamed


def _shield_added(token: Mapping[str, Any], renamed: Mapping[str, str]) -> Mapping[str, Any]:
    if token["content"] not in renamed:
        return token
    # Not normalized: a normalizer may strip the mark, and what is left of the name would then match text.
    return {**token, "content": renamed[token["content"]], "normalized": False}


def _shield_model(model: Mapping[str, Any], renamed: Mapping[str, str]) -> dict[str, Any]:
    shielded = dict(model)
    vocab = model["vocab"]
    if isinstance(vocab, Mapping):
        # A copy with a few entries exchanged: going through a large vocabulary in Python takes longer.
        shielded["vocab"] = {**vocab, **{new: vocab[old] for old, new in renamed.items() if old in vocab}}
        for old in renamed:
            shielded["vocab"].pop(old, None)
    else:
        shielded["vocab"] = [(renamed.get(piece, piece), score) for piece, score in vocab]
    if model.get("unk_token") in renamed:
        shielded["unk_token"] = renamed[model["unk_token"]]
    if "merges" in model:
        shielded["merges"] = _merges_without(
            renamed, model["merges"], continuing_prefix=model.get("continuing_subword_prefix") or ""
        )
    return shielded


def _merges_without(
    names: Mapping[str, str], merges: Sequence[str | Sequence[str]], *, continuing_prefix: str
) -> list[list[str]]:
    """Drop the merges that make or use a control entry (Rust refuses merges whose entries are gone)."""
    kept = []
    for merge in merges:
        left, right = merge.split(" ", 1) if isinstance(merge, str) else merge
        whole = left + right[len(continuing_prefix) :]
        if left not in names and right not in names and whole not in names:
            kept.append([left, right])
    return kept

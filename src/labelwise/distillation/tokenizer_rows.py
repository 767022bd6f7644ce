"""Which entries of a tokenizer.json must stay, and the same tokenizer with only those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from labelwise.errors import CheckpointError

__all__ = ["always_kept", "check_kind", "renumbered"]

# Unigram lists its pieces by falling score, that is frequency: these first ones are words like "the".
_FREQUENT_PIECES = 1000
_WORD_MARKS = ("##", "▁")


def check_kind(spec: Mapping[str, Any]) -> None:
    """Refuse a tokenizer whose entries cannot be taken out one by one.

    Raises:
        CheckpointError: it is not WordPiece or Unigram.
    """
    model = spec.get("model")
    kind = model.get("type") if isinstance(model, dict) else None
    if kind not in ("WordPiece", "Unigram"):
        raise CheckpointError(
            f"a {kind} vocabulary cannot be trimmed (its merges build on one another): "
            "use a WordPiece or Unigram checkpoint, or leave the vocabulary whole"
        )


def always_kept(spec: Mapping[str, Any]) -> set[int]:
    """Return the ids that always stay: control tokens, single characters and bytes, frequent pieces.

    Unigram also keeps the piece of the lowest score, from which the cost of an unknown character is counted.
    """
    model = spec["model"]
    kept = {int(token["id"]) for token in spec.get("added_tokens", ())}
    if model["type"] == "WordPiece":
        vocabulary: dict[str, int] = model["vocab"]
        kept.add(vocabulary[model["unk_token"]])
        return kept | {row for piece, row in vocabulary.items() if _is_single(piece)}
    pieces: list[Any] = model["vocab"]
    if model.get("unk_id") is not None:
        kept.add(int(model["unk_id"]))
    kept.update(row for row, (piece, _) in enumerate(pieces) if _is_single(piece))
    kept.update(range(min(_FREQUENT_PIECES, len(pieces))))
    kept.add(min(range(len(pieces)), key=lambda row: float(pieces[row][1])))
    return kept


def _is_single(piece: str) -> bool:
    is_byte = len(piece) == 6 and piece.startswith("<0x") and piece.endswith(">")
    bare = piece
    for mark in _WORD_MARKS:
        bare = bare.removeprefix(mark) or bare
    return is_byte or len(bare) == 1


def renumbered(spec: Mapping[str, Any], new_ids: Mapping[int, int]) -> dict[str, Any]:
    """Return a tokenizer.json with only the kept entries, under their new ids.

    Raises:
        CheckpointError: a setting names an id that was not kept.
    """
    model = dict(spec["model"])
    if model["type"] == "WordPiece":
        model["vocab"] = {piece: new_ids[row] for piece, row in model["vocab"].items() if row in new_ids}
    else:
        model["vocab"] = [entry for row, entry in enumerate(model["vocab"]) if row in new_ids]
        if model.get("unk_id") is not None:
            model["unk_id"] = new_ids[model["unk_id"]]
    trimmed = {**spec, "model": model}
    trimmed["added_tokens"] = [
        {**token, "id": new_ids[token["id"]]}
        for token in spec.get("added_tokens", ())
        if token["id"] in new_ids
    ]
    try:
        trimmed["post_processor"] = _processor(spec.get("post_processor"), new_ids)
        padding = spec.get("padding")
        if padding:
            trimmed["padding"] = {**padding, "pad_id": new_ids[padding["pad_id"]]}
    except KeyError as error:
        raise CheckpointError(f"tokenizer.json adds the id {error}, which no token has") from error
    return trimmed


def _processor(processor: Mapping[str, Any] | None, new_ids: Mapping[int, int]) -> dict[str, Any] | None:
    if processor is None:
        return None
    changed = dict(processor)
    if "processors" in changed:
        changed["processors"] = [_processor(inner, new_ids) for inner in changed["processors"]]
    if processor.get("type") == "TemplateProcessing":
        changed["special_tokens"] = {
            name: {**token, "ids": _mapped(token["ids"], new_ids)}
            for name, token in processor["special_tokens"].items()
        }
    for side in ("cls", "sep"):
        # BertProcessing and RobertaProcessing hold (name, id).
        if isinstance(changed.get(side), list):
            name, row = changed[side]
            changed[side] = [name, new_ids[row]]
    return changed


def _mapped(rows: Iterable[int], new_ids: Mapping[int, int]) -> list[int]:
    return [new_ids[row] for row in rows]

"""A published tokenizer -> a pipeline in which no text can spell a control token."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tokenizers import Tokenizer

from labelwise.errors import CheckpointError
from labelwise.text.files import PublishedTokenizer
from labelwise.text.pipeline import Pipeline, PublishedPipeline, SentencePiecePipeline
from labelwise.text.sentencepiece_file import PieceKind, SentencePieceFile
from labelwise.text.sentencepiece_text import SentencePieceNormalizer
from labelwise.text.shield import shield

__all__ = ["BuiltTokenizer", "build_tokenizer"]

# Kinds of piece that SentencePiece itself never matches in a text.
_NEVER_TEXT = frozenset({PieceKind.UNKNOWN, PieceKind.CONTROL, PieceKind.UNUSED, PieceKind.BYTE})


@dataclass(frozen=True, slots=True)
class BuiltTokenizer:
    """A pipeline, the ids of those control tokens that the vocabulary has, and how many ids there are."""

    pipeline: Pipeline
    control_ids: Mapping[str, int]
    vocab_size: int


def build_tokenizer(published: PublishedTokenizer, control_names: Sequence[str]) -> BuiltTokenizer:
    """Build the tokenizer with its control tokens out of reach of text.

    Raises:
        CheckpointError: the files contradict themselves, or the tokenizers library refuses them.
    """
    model_file = published.sentencepiece
    unreachable = (
        [] if model_file is None else [piece for piece, _, kind in model_file.pieces if kind in _NEVER_TEXT]
    )
    spec, renamed = shield(published.spec, tuple(dict.fromkeys([*control_names, *unreachable])))
    try:
        tokenizer = Tokenizer.from_str(json.dumps(spec))
    except Exception as error:  # the library raises bare Exception
        raise CheckpointError(f"{published.source} cannot be used: {error}") from error
    looked_up = {name: tokenizer.token_to_id(new_name) for name, new_name in renamed.items()}
    ids = {name: number for name, number in looked_up.items() if number is not None}
    _check_added_ids(published, tokenizer, renamed)
    return BuiltTokenizer(
        pipeline=PublishedPipeline(tokenizer)
        if model_file is None
        else _sentencepiece(tokenizer, model_file, spec, ids),
        control_ids={name: ids[name] for name in control_names if name in ids},
        vocab_size=tokenizer.get_vocab_size(with_added_tokens=True),
    )


def _sentencepiece(
    tokenizer: Tokenizer, model_file: SentencePieceFile, spec: Mapping[str, Any], ids: Mapping[str, int]
) -> SentencePiecePipeline:
    byte_pieces = [piece for piece, _, kind in model_file.pieces if kind == PieceKind.BYTE]
    return SentencePiecePipeline(
        tokenizer,
        SentencePieceNormalizer(
            model_file.charsmap,
            adds_dummy_prefix=model_file.adds_dummy_prefix,
            removes_extra_spaces=model_file.removes_extra_spaces,
        ),
        unk_id=spec["model"]["unk_id"],
        byte_ids=[ids[piece] for piece in sorted(byte_pieces)] if model_file.falls_back_to_bytes else None,
    )


def _check_added_ids(published: PublishedTokenizer, tokenizer: Tokenizer, renamed: Mapping[str, str]) -> None:
    for token in published.spec["added_tokens"]:
        name, declared = token["content"], token["id"]
        actual = tokenizer.token_to_id(renamed.get(name, name))
        if actual != declared:
            raise CheckpointError(
                f"{published.source} gives {name!r} the id {declared}, but its vocabulary makes it {actual}: "
                "save the tokenizer again"
            )

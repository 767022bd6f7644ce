"""Find a checkpoint's tokenizer files and read them into one shape, that of tokenizer.json."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labelwise.errors import CheckpointError
from labelwise.text.sentencepiece_file import SentencePieceFile, read_sentencepiece_file
from labelwise.text.specs import byte_level_spec, deberta_spec, wordpiece_spec, xlm_roberta_spec

__all__ = ["PublishedTokenizer", "read_published"]


@dataclass(frozen=True, slots=True)
class PublishedTokenizer:
    """What the files say.

    ``spec`` is shaped like tokenizer.json; ``settings`` are special_tokens_map.json and, over it,
    tokenizer_config.json; ``sentencepiece`` is the model file when the spec comes from one.
    """

    source: Path
    spec: Mapping[str, Any]
    settings: Mapping[str, Any]
    sentencepiece: SentencePieceFile | None = None


def read_published(folder: Path) -> PublishedTokenizer:
    """Read the first usable tokenizer file of a folder.

    Raises:
        CheckpointError: there is none, or it is damaged or of a kind that cannot be read.
    """
    settings = {
        **_read_optional(folder / "special_tokens_map.json"),
        **_read_optional(folder / "tokenizer_config.json"),
    }
    for names, read in _READERS:
        if all((folder / name).is_file() for name in names):
            return read(folder, names[0], settings)
    looked_for = ", ".join(" + ".join(names) for names, _ in _READERS)
    raise CheckpointError(f"no tokenizer in {folder}: looked for {looked_for}; add one of them")


def _read_tokenizer_json(folder: Path, name: str, settings: Mapping[str, Any]) -> PublishedTokenizer:
    path = folder / name
    spec = _read_json(path)
    model = spec.get("model")
    if not isinstance(model, dict) or not isinstance(model.get("vocab"), (dict, list)):
        raise CheckpointError(f"{path} has no model with a vocabulary: save the tokenizer again")
    return PublishedTokenizer(path, {**spec, "added_tokens": spec.get("added_tokens") or []}, settings)


def _read_deberta(folder: Path, name: str, settings: Mapping[str, Any]) -> PublishedTokenizer:
    path = folder / name
    _require_family(folder, path, {"deberta-v2"})
    for setting in ("do_lower_case", "split_by_punct"):
        if settings.get(setting):
            raise CheckpointError(f"{path} with {setting}=true cannot be read: convert it to tokenizer.json")
    model = read_sentencepiece_file(path)
    spec = deberta_spec(model, mask=_name(settings.get("mask_token")) or "[MASK]")
    return PublishedTokenizer(path, _with_added_tokens(spec, folder, settings), settings, model)


def _read_xlm_roberta(folder: Path, name: str, settings: Mapping[str, Any]) -> PublishedTokenizer:
    path = folder / name
    _require_family(folder, path, {"xlm-roberta", "xlm-roberta-xl"})
    model = read_sentencepiece_file(path)
    return PublishedTokenizer(
        path, _with_added_tokens(xlm_roberta_spec(model), folder, settings), settings, model
    )


def _read_wordpiece(folder: Path, name: str, settings: Mapping[str, Any]) -> PublishedTokenizer:
    path = folder / name
    with path.open(encoding="utf-8") as lines:
        vocab = {line.rstrip("\n"): number for number, line in enumerate(lines)}
    unk = _name(settings.get("unk_token")) or "[UNK]"
    if unk not in vocab:
        raise CheckpointError(f"{path} has no entry {unk!r} for unknown words: it is not a BERT vocabulary")
    spec = wordpiece_spec(
        vocab,
        unk=unk,
        lowercase=settings.get("do_lower_case", True),
        strip_accents=settings.get("strip_accents"),
        splits_chinese=settings.get("tokenize_chinese_chars", True),
    )
    return PublishedTokenizer(path, _with_added_tokens(spec, folder, settings), settings)


def _read_byte_level(folder: Path, name: str, settings: Mapping[str, Any]) -> PublishedTokenizer:
    path = folder / name
    lines = (folder / "merges.txt").read_text(encoding="utf-8").split("\n")
    merges = [line.split(" ") for line in lines if line and not line.startswith("#version")]
    spec = byte_level_spec(
        _read_json(path), merges, adds_prefix_space=bool(settings.get("add_prefix_space", False))
    )
    return PublishedTokenizer(path, _with_added_tokens(spec, folder, settings), settings)


_Reader = Callable[[Path, str, Mapping[str, Any]], PublishedTokenizer]
_READERS: tuple[tuple[tuple[str, ...], _Reader], ...] = (
    (("tokenizer.json",), _read_tokenizer_json),
    (("spm.model",), _read_deberta),
    (("spiece.model",), _read_deberta),
    (("sentencepiece.bpe.model",), _read_xlm_roberta),
    (("vocab.txt",), _read_wordpiece),
    (("vocab.json", "merges.txt"), _read_byte_level),
)


def _with_added_tokens(spec: Mapping[str, Any], folder: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Append the tokens that were added after training: added_tokens.json and added_tokens_decoder."""
    added = {token["id"]: token for token in spec["added_tokens"]}
    for content, number in _read_optional(folder / "added_tokens.json").items():
        added[number] = _added_token(number, {"content": content})
    for number, token in settings.get("added_tokens_decoder", {}).items():
        added[int(number)] = _added_token(int(number), token)
    return {**spec, "added_tokens": [added[number] for number in sorted(added)]}


def _added_token(number: int, token: Mapping[str, Any]) -> dict[str, Any]:
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    return {"id": number, **flags, **token}


def _require_family(folder: Path, path: Path, families: set[str]) -> None:
    family = _read_optional(folder / "config.json").get("model_type")
    if family is not None and family not in families:
        raise CheckpointError(f"{path} of a {family!r} model cannot be read: convert it to tokenizer.json")


def _name(token: object) -> str | None:
    if isinstance(token, Mapping):
        token = token.get("content")
    return token if isinstance(token, str) else None


def _read_optional(path: Path) -> dict[str, Any]:
    return _read_json(path) if path.is_file() else {}


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} must hold an object, not {type(value).__name__}")
    return value

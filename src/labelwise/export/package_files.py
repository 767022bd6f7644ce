"""The small files around the weights: configuration, tokenizer, settings, licence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.files import CONFIG_FILE
from labelwise.checkpoints.heads import NliHead
from labelwise.checkpoints.json_file import read_json_object
from labelwise.distillation.student_folder import TOKENIZER_FILES, copy_files, write_json
from labelwise.errors import CheckpointError, InputError

__all__ = ["check_formats", "write_config", "write_small_files"]

_OTHERS: Final = ("labelwise.json", "LICENSE", "LICENSE.txt", "NOTICE", "MODEL_CARD.md", "README.md")
_BY_NAME: Final = "PreTrainedTokenizerFast"
_CLASSES_WITHOUT_TYPES: Final = frozenset({_BY_NAME, "TokenizersBackend"})


def check_formats(checkpoint: Checkpoint, formats: Sequence[str]) -> None:
    """Refuse a format that a model cannot have.

    Raises:
        InputError: sentence-transformers' CrossEncoder reads classification heads only.
        CheckpointError: transformers.js reads tokenizer.json only, and there is none.
    """
    if "sentence-transformers" in formats and not isinstance(checkpoint.head, NliHead):
        raise InputError(
            f"{checkpoint.ref!r} is no pair classifier, all that sentence-transformers' CrossEncoder reads: "
            "use --format onnx"
        )
    if "transformersjs" in formats and not (checkpoint.folder / "tokenizer.json").is_file():
        raise CheckpointError(
            f"{checkpoint.ref!r} has no tokenizer.json, the only tokenizer that transformers.js reads: save "
            "it in that form first"
        )


def write_config(source: Path, target: Path, *, dtype: str | None = None) -> None:
    """Write config.json, with the label numbers that transformers.js looks up, and the weights' type."""
    config = read_json_object(source / CONFIG_FILE)
    names = config.get("id2label")
    if isinstance(names, dict) and not config.get("label2id"):
        config["label2id"] = {str(name): int(number) for number, name in names.items()}
    if dtype is not None:
        config["dtype"] = dtype
        if "torch_dtype" in config:
            config["torch_dtype"] = dtype
    write_json(target / CONFIG_FILE, config)


def write_small_files(
    checkpoint: Checkpoint,
    target: Path,
    *,
    dtype: str | None,
    has_token_types: bool,
    formats: Sequence[str] = (),
) -> None:
    """Write everything but the weights; config.json, without which nothing takes a folder for a model, last.

    Args:
        checkpoint: the source.
        target: the folder.
        dtype: of the safetensors; None leaves config.json's.
        has_token_types: whether the model tells its two texts apart by type.
        formats: what is exported.

    Raises:
        OSError: a file cannot be written.
    """
    source = checkpoint.folder
    copy_files(source, target, (*TOKENIZER_FILES, *_OTHERS))
    tokenizer = target / "tokenizer_config.json"
    settings = read_json_object(tokenizer) if tokenizer.is_file() else {}
    # Without a class transformers.js and transformers guess; the plain one takes tokenizer.json as it is.
    settings.setdefault("tokenizer_class", _BY_NAME)
    settings.setdefault("model_max_length", checkpoint.max_tokens)
    if has_token_types:
        # Without these lines both libraries leave the types out, and the model reads zeros in silence.
        settings.setdefault("model_input_names", ["input_ids", "token_type_ids", "attention_mask"])
        if "transformersjs" in formats and settings["tokenizer_class"] in _CLASSES_WITHOUT_TYPES:
            settings["tokenizer_class"] = "BertTokenizer"
    write_json(tokenizer, settings)
    write_config(source, target, dtype=dtype)

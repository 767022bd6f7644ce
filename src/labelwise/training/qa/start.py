"""The start of a reader's run, a pretrained encoder with a new head, and its finished checkpoint."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from transformers import AutoModelForQuestionAnswering, PreTrainedModel

from labelwise.checkpoints.families import window_tokens
from labelwise.errors import CheckpointError, InputError
from labelwise.text.pair import PairLayout
from labelwise.text.tokenizer import TextTokenizer
from labelwise.training import base as training_base
from labelwise.training.qa.recipe import QaHyperparameters, QaRecipe

__all__ = ["ReaderBase", "open_base", "save_reader", "start_reader"]

_TOKENIZER_FILES = (
    *("spm.model", "spiece.model", "sentencepiece.bpe.model", "vocab.txt", "vocab.json", "merges.txt"),
    *("special_tokens_map.json", "added_tokens.json"),
)
_NEEDED_FROM_HUB = ("*.json", "*.safetensors", "*.model", "*.txt")


@dataclass(frozen=True, slots=True)
class ReaderBase:
    """Where a run starts: the encoder's folder, its tokenizer, and question and context in one row."""

    folder: Path
    tokenizer: TextTokenizer
    layout: PairLayout


def open_base(recipe: QaRecipe) -> ReaderBase:
    """Find the base of a recipe and open its tokenizer; the layout's limit is the recipe's window.

    Raises:
        CheckpointError: there is no such base, or its tokenizer or family is not known.
        InputError: the base reads fewer tokens than the recipe's windows have.
    """
    folder = _folder(recipe)
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"the base {recipe.base} has no readable config.json: {error}") from error
    max_tokens = recipe.hyperparameters.max_tokens
    limit = window_tokens(config, {})
    if max_tokens > limit:
        raise InputError(f"max_tokens is {max_tokens}, and the base {recipe.base} reads {limit}: lower it")
    tokenizer = TextTokenizer.from_folder(folder)
    layout = PairLayout.for_model(config, tokenizer.control, max_tokens=max_tokens)
    return ReaderBase(folder, tokenizer, layout)


def start_reader(folder: Path, chosen: QaHyperparameters) -> PreTrainedModel:
    """Return the encoder with a span head, new unless the base has one.

    Raises:
        CheckpointError: transformers cannot load it.
    """
    attention = {} if chosen.attention is None else {"attn_implementation": chosen.attention}
    try:
        model: PreTrainedModel = AutoModelForQuestionAnswering.from_pretrained(
            folder, dtype="float32", use_safetensors=True, trust_remote_code=False, **attention
        )
    except (OSError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise CheckpointError(f"transformers cannot load the base {folder}: {reason}") from error
    if chosen.freezes_word_embeddings:
        model.get_input_embeddings().weight.requires_grad_(False)
    return model


def save_reader(model: PreTrainedModel, base: Path, folder: Path, *, max_tokens: int) -> None:
    """Write a checkpoint in float32 with the base's tokenizer, whose window becomes that of the training."""
    model.float().save_pretrained(folder)
    for name in _TOKENIZER_FILES:
        if (base / name).is_file():
            shutil.copyfile(base / name, folder / name)
    if (base / "tokenizer.json").is_file():
        training_base.save_tokenizer(base, folder, max_tokens=max_tokens)
        return
    settings = base / "tokenizer_config.json"
    values = json.loads(settings.read_text(encoding="utf-8")) if settings.is_file() else {}
    training_base.write_json(folder / "tokenizer_config.json", {**values, "model_max_length": max_tokens})


def _folder(recipe: QaRecipe) -> Path:
    if recipe.base.startswith("package:"):
        return training_base.base_folder(recipe.base)
    if Path(recipe.base).is_dir():
        return Path(recipe.base)
    from huggingface_hub import snapshot_download

    try:
        return Path(
            snapshot_download(
                recipe.base, revision=recipe.base_revision, allow_patterns=list(_NEEDED_FROM_HUB)
            )
        )
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(
            f"the base {recipe.base} is no folder here and the hub does not give it: {reason}"
        ) from error

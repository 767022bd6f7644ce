"""The start of a reader's run: a pretrained encoder with a new head."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from transformers import AutoModelForQuestionAnswering, PreTrainedModel

from labelwise.checkpoints.files import CONFIG_FILE
from labelwise.checkpoints.json_file import read_json_object
from labelwise.models.pretrained import load_pretrained
from labelwise.text.pair import PairLayout
from labelwise.text.tokenizer import TextTokenizer
from labelwise.training.base import base_folder, check_base
from labelwise.training.qa.recipe import QaHyperparameters, QaRecipe

__all__ = ["ReaderBase", "open_base", "start_reader"]


@dataclass(frozen=True, slots=True)
class ReaderBase:
    """Where a run starts: the encoder's folder, its tokenizer, and question and context in one row."""

    folder: Path
    tokenizer: TextTokenizer
    layout: PairLayout


def open_base(recipe: QaRecipe, *, precision: str = "auto") -> ReaderBase:
    """Find the base of a recipe and open its tokenizer; the layout's limit is the recipe's window.

    Args:
        recipe: the run's.
        precision: in which the run will be fitted.

    Raises:
        CheckpointError: there is no such base, or its tokenizer or family is not known.
        InputError: the base reads fewer tokens than the recipe's windows have, or overflows in fp16.
    """
    folder = base_folder(recipe.base, revision=recipe.base_revision)
    max_tokens = recipe.hyperparameters.max_tokens
    check_base(folder, precision=precision, max_tokens=max_tokens)
    tokenizer = TextTokenizer.from_folder(folder)
    config = read_json_object(folder / CONFIG_FILE)
    layout = PairLayout.for_model(config, tokenizer.control, max_tokens=max_tokens)
    return ReaderBase(folder, tokenizer, layout)


def start_reader(folder: Path, chosen: QaHyperparameters) -> PreTrainedModel:
    """Return the encoder with a span head, new unless the base has one.

    Raises:
        CheckpointError: transformers cannot load it.
    """
    model = load_pretrained(
        AutoModelForQuestionAnswering,
        folder,
        attention=chosen.attention,
        num_labels=2,  # start and end, whatever the base was trained to tell apart
    )
    if chosen.freezes_word_embeddings:
        model.get_input_embeddings().weight.requires_grad_(False)
    return model

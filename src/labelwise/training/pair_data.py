"""The pairs of an NLI recipe, ready for a Trainer, and how its validation is measured."""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from transformers import EvalPrediction

from labelwise.training.arguments import num_whole_steps
from labelwise.training.base import load_tokenizer
from labelwise.training.card import DataFile
from labelwise.training.encoding import EncodedPairs, encode_pairs, length_grouped_order
from labelwise.training.loss import allowed_classes
from labelwise.training.mix import training_pairs, validation_pairs
from labelwise.training.recipe import NliRecipe
from labelwise.training.records import Pair

__all__ = ["PairAccuracy", "PairData", "data_files", "likeliest_classes", "read_pair_data", "sampled"]

log = logging.getLogger("labelwise.training")


@dataclass(frozen=True, slots=True)
class PairData:
    """What a run trains on, in the order of its steps, and what it is validated on.

    Attributes:
        train: whole steps only.
        validation: short pairs first.
        pairs_per_source: source to the pairs that it gave.
    """

    train: EncodedPairs
    validation: EncodedPairs
    pairs_per_source: Mapping[str, int]


def read_pair_data(recipe: NliRecipe, base: Path, data_dir: Path, rows_per_step: int) -> PairData:
    """Read, recast and encode a recipe's pairs.

    Raises:
        DataError: a file is missing or has no usable row.
        InputError: the pairs do not fill one step.
    """
    chosen = recipe.hyperparameters
    pairs, counts = training_pairs(recipe, data_dir)
    validation = _encoded(validation_pairs(recipe, data_dir), base, recipe)
    encoded = _encoded(pairs, base, recipe)
    order = length_grouped_order(
        encoded.lengths, batch_size=rows_per_step, epochs=chosen.epochs, seed=recipe.seed
    )
    num_steps = num_whole_steps(len(order), rows_per_step, max_steps=chosen.max_steps, rows="pairs")
    log.info("%d pairs, %d steps, %.1f tokens a pair", len(pairs), num_steps, float(encoded.lengths.mean()))
    return PairData(
        train=replace(encoded, order=order[: num_steps * rows_per_step]),
        validation=replace(validation, order=np.argsort(validation.lengths, kind="stable")),
        pairs_per_source=counts,
    )


def sampled(encoded: EncodedPairs, rows: int, seed: int) -> EncodedPairs:
    """Return that many rows by chance, in their order; all where there are no more."""
    if rows >= len(encoded):
        return encoded
    positions = sorted(random.Random(seed).sample(range(len(encoded)), rows))
    return replace(encoded, order=encoded.order[positions])


def data_files(recipe: NliRecipe, counts: Mapping[str, int]) -> list[DataFile]:
    """Return the recipe's sources for a model card; one that is named twice has one count."""
    licences = {source.name: source.licence for source in recipe.sources}
    return [DataFile(path=name, rows=rows, licence=licences[name]) for name, rows in counts.items()]


class PairAccuracy:
    """The share of rows whose likeliest class, by ``likeliest_classes``, agrees with the row's label."""

    def __init__(self, recipe: NliRecipe) -> None:
        self._allowed = allowed_classes(recipe.classes).numpy()

    def __call__(self, prediction: EvalPrediction) -> dict[str, float]:
        """Return ``accuracy``."""
        return {"accuracy": float(self._allowed[prediction.label_ids, prediction.predictions].mean())}


def likeliest_classes(outputs: torch.Tensor | tuple[torch.Tensor, ...], labels: torch.Tensor) -> torch.Tensor:
    """Return each row's class, shape (rows,): all that a Trainer has to keep of a validation.

    BART's outputs hold its encoder's states beside the logits.
    """
    logits = outputs[0] if isinstance(outputs, tuple) else outputs
    return logits.argmax(dim=-1)


def _encoded(pairs: list[Pair], base: Path, recipe: NliRecipe) -> EncodedPairs:
    return encode_pairs(pairs, load_tokenizer(base), max_tokens=recipe.hyperparameters.max_tokens)

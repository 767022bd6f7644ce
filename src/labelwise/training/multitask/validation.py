"""How a run is watched: macro-F1 on classification files that it never trains on."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from labelwise.evaluation.classification import evaluate_single_label
from labelwise.models.multitask import MultitaskModel
from labelwise.text.isolated_labels import IsolatedLabelsLayout
from labelwise.text.tokenizer import TextTokenizer
from labelwise.training.multitask.batches import label_batch
from labelwise.training.records import LabelledText, read_labelled_texts

__all__ = ["ValidationSet", "read_validation_sets", "validate"]

_BATCH_ROWS = 8
_MAX_TEXT_TOKENS = 200


@dataclass(frozen=True, slots=True)
class ValidationSet:
    """Texts of one file with its closed label set, plain names."""

    name: str
    rows: tuple[LabelledText, ...]
    labels: tuple[str, ...]

    def macro_f1(
        self, model: MultitaskModel, tokenizer: TextTokenizer, layout: IsolatedLabelsLayout
    ) -> float:
        """Return the macro-F1 of the likeliest label; long texts are cut, which a report would not do."""
        label_ids = [encoded.ids for encoded in tokenizer.encode_many(self.labels)]
        texts = [
            encoded.ids[:_MAX_TEXT_TOKENS]
            for encoded in tokenizer.encode_many([row.text for row in self.rows])
        ]
        order = np.argsort([len(text) for text in texts], kind="stable")
        found: dict[int, str] = {}
        read = ("input_ids", "token_type_ids", "segment_ids", "position_ids", "label_positions")
        for start in range(0, len(order), _BATCH_ROWS):
            places = order[start : start + _BATCH_ROWS]
            rows = [layout.assemble(texts[place], label_ids) for place in places]
            batch = label_batch(
                rows, [[False] * len(label_ids)] * len(rows), pad_token_id=tokenizer.control.pad or 0
            )
            device = model.device
            outputs = model(**{name: batch[name].to(device) for name in read}, heads=("classify",))
            for place, best in zip(places, outputs["label_logits"].argmax(dim=-1).tolist(), strict=True):
                found[int(place)] = self.labels[best]
        predicted = [found[place] for place in range(len(self.rows))]
        gold = [row.labels[0] for row in self.rows]
        return evaluate_single_label(gold, predicted, labels=self.labels).macro.f1


def read_validation_sets(
    paths: Sequence[str], data_dir: Path, *, rows: int, seed: int
) -> list[ValidationSet]:
    """Read rows of each file, spread over its classes by chance.

    Raises:
        DataError: a file is missing or has no usable row.
    """
    found = []
    for name in paths:
        all_rows = read_labelled_texts(data_dir / name).rows
        labels = tuple(sorted({label for row in all_rows for label in row.labels}))
        drawn = random.Random(f"validation:{seed}:{name}").sample(all_rows, min(rows, len(all_rows)))
        found.append(ValidationSet(Path(name).name.split(".")[0], tuple(drawn), labels))
    return found


def validate(
    sets: Sequence[ValidationSet],
    model: MultitaskModel,
    tokenizer: TextTokenizer,
    layout: IsolatedLabelsLayout,
) -> dict[str, float]:
    """Return each set's macro-F1 and their mean; the model is left in the mode it was in."""
    was_training = model.training
    model.eval()
    with torch.no_grad():
        figures = {one.name: round(one.macro_f1(model, tokenizer, layout), 4) for one in sets}
    model.train(was_training)
    return {**figures, "mean": round(float(np.mean(list(figures.values()))), 4)} if figures else {}

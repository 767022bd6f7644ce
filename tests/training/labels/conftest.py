"""Texts that name their label: two layers of width 32 must learn them in seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labelwise.training.labels.recipe import (
    ExampleSettings,
    LabelHyperparameters,
    LabelRecipe,
    ModelSettings,
    TextSource,
)

TOPICS = ("bread", "boat", "shop", "blue", "open")


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    return [
        {
            "text": f"the {topic} is {other}{' red' * repeats}",
            "labels": [topic, other],
            "not_labels": [name for name in TOPICS if name not in (topic, other)],
        }
        for topic in TOPICS
        for other in TOPICS
        for repeats in range(2)
        if other != topic
    ]


@pytest.fixture
def quiet_base(tiny_base: Path) -> Path:
    """The tiny base without dropout, so that two runs differ in nothing but what is tested."""
    path = tiny_base / "config.json"
    path.write_text(path.read_text().replace('_dropout_prob": 0.1', '_dropout_prob": 0.0'))
    return tiny_base


@pytest.fixture
def recipe(quiet_base: Path, write_rows, rows) -> LabelRecipe:
    write_rows("data/rows.jsonl.gz", rows)
    write_rows("data/validation.jsonl", rows[::3])
    return LabelRecipe(
        name="tiny",
        base=str(quiet_base),
        sources=(TextSource(path="rows.jsonl.gz", licence="own"),),
        validation=(TextSource(path="validation.jsonl"),),
        examples=ExampleSettings(max_tokens=48, max_labels=6, sampled_negatives=1),
        model=ModelSettings(dropout_rate=0.0),
        hyperparameters=LabelHyperparameters(
            learning_rate=3e-3, batch_size=4, accumulation=2, epochs=2, log_every_steps=1
        ),
    )

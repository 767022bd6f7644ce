"""A tiny world: texts that name their topic, statements, and questions whose answer is a word of the text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from labelwise.training.multitask.recipe import (
    AnswerSource,
    LabelSource,
    MultitaskHyperparameters,
    MultitaskRecipe,
)

TOPICS = ("bread", "boat", "shop")


@pytest.fixture
def data_dir(tmp_path: Path, write_rows) -> Path:
    write_rows(
        "data/topics.jsonl.gz",
        [
            {"text": f"the {topic} is {colour}", "label": topic}
            for topic in TOPICS
            for colour in ("red", "blue", "open", "closed")
        ],
    )
    write_rows(
        "data/judged.jsonl",
        [{"text": f"the {topic} sank", "labels": [topic], "not_labels": ["blue"]} for topic in TOPICS],
    )
    write_rows(
        "data/pairs.jsonl",
        [
            {"premise": f"the {topic} is red", "hypothesis": f"the {topic} is {colour}", "label": label}
            for topic in TOPICS
            for colour, label in (("red", "entailment"), ("blue", "contradiction"), ("open", "neutral"))
        ],
    )
    paragraphs = [
        {
            "context": f"the shop sold the red {topic}",
            "qas": [
                {
                    "id": topic,
                    "question": "the red ?",
                    "answers": [{"text": topic, "answer_start": len("the shop sold the red ")}],
                }
            ],
        }
        for topic in TOPICS
    ]
    (tmp_path / "data" / "qa.json").write_text(
        json.dumps({"data": [{"title": "t", "paragraphs": paragraphs}]})
    )
    (tmp_path / "entail.json").write_text(
        json.dumps(
            {
                "name": "tiny entailment",
                "base": str(tmp_path / "base"),
                "classes": ["entailment", "neutral", "contradiction"],
                "seed": 1,
                "validation": "pairs.jsonl",
                "validation_rows": 9,
                "hyperparameters": {
                    "batch_size": 4,
                    "epochs": 1,
                    "max_tokens": 32,
                    "dropout": 0.0,
                    "attention": "eager",
                    "learning_rate": 1e-3,
                },
                "sources": [{"path": "pairs.jsonl", "kind": "pairs", "licence": "own"}],
            }
        )
    )
    return tmp_path / "data"


@pytest.fixture
def recipe(tiny_base: Path, data_dir: Path) -> MultitaskRecipe:
    return MultitaskRecipe(
        name="tiny",
        base=str(tiny_base),
        entail_recipe="entail.json",
        starts_from_entail=False,
        classify=(
            LabelSource("topics.jsonl.gz", "texts", "own", templates=("this is about {}",)),
            LabelSource("judged.jsonl", "judged", "own"),
        ),
        answer=(AnswerSource("qa.json", "own"),),
        validation=("topics.jsonl.gz",),
        window_tokens=48,
        seed=3,
        hyperparameters=MultitaskHyperparameters(
            steps=12,
            batch_sizes={"classify": 4, "entail": 4, "answer": 3},
            learning_rate=1e-3,
            head_learning_rate=3e-3,
            max_text_tokens=16,
            max_pair_tokens=32,
            max_window_tokens=40,
            max_question_tokens=8,
            window_stride=8,
            precision="fp32",
            log_every_steps=1,
            evaluate_every_steps=6,
            save_every_steps=6,
        ),
    )

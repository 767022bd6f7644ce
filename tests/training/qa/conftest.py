"""Texts that say who sold what; two layers of width 32 read them in a blink."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

SELLERS = ("shop", "boat")
GOODS = ("bread", "red", "blue")


def squad(paragraphs: Sequence[tuple[str, Sequence[dict[str, Any]]]]) -> dict[str, Any]:
    return {
        "version": "v2.0",
        "data": [{"paragraphs": [{"context": text, "qas": list(qas)} for text, qas in paragraphs]}],
    }


def asked(identity: str, question: str, context: str, answer: str | None) -> dict[str, Any]:
    answers = [] if answer is None else [{"text": answer, "answer_start": context.index(answer)}]
    return {"id": identity, "question": question, "answers": answers, "is_impossible": answer is None}


@pytest.fixture
def write_json_file(tmp_path: Path) -> Callable[[str, Any], Path]:
    def write(name: str, value: Any) -> Path:
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = json.dumps(value).encode()
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return write


@pytest.fixture
def questions() -> dict[str, Any]:
    paragraphs = []
    for number, (seller, goods, repeats) in enumerate(
        (seller, goods, repeats) for seller in SELLERS for goods in GOODS for repeats in range(4)
    ):
        text = "the " * repeats + f"{seller} sold {goods} closed"
        paragraphs.append(
            (
                text,
                [
                    asked(f"what{number}", f"the {seller} sold", text, goods),
                    asked(f"none{number}", "is about this", text, None),
                ],
            )
        )
    return squad(paragraphs)


@pytest.fixture
def quiet_base(tiny_base: Path) -> Path:
    """The tiny base without dropout, so that two runs differ in nothing but what is tested."""
    path = tiny_base / "config.json"
    path.write_text(path.read_text().replace('_dropout_prob": 0.1', '_dropout_prob": 0.0'))
    return tiny_base


@pytest.fixture
def recipe(quiet_base: Path, write_json_file: Callable[[str, Any], Path], questions: dict[str, Any]) -> Any:
    pytest.importorskip("torch")
    from labelwise.training.qa.recipe import QaHyperparameters, QaRecipe, QaSource

    write_json_file("train.json.gz", questions)
    return QaRecipe(
        name="tiny reader",
        base=str(quiet_base),
        sources=(QaSource(path="train.json.gz", licence="MIT"),),
        held_out_share=0.2,
        hyperparameters=QaHyperparameters(
            learning_rate=3e-3,
            batch_size=8,
            epochs=2,
            max_tokens=32,
            stride=4,
            max_question_tokens=8,
            precision="fp32",
            log_every_steps=1,
        ),
    )

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from labelwise.errors import DataError

pytest.importorskip("torch")

from labelwise.training.qa.hub import hub_questions
from labelwise.training.qa.mix import read_mix
from labelwise.training.qa.recipe import QaSource

ROWS = [
    {"id": "a", "title": "Ann", "context": "Ann left.", "question": "Who left?",
     "answers": {"text": ["Ann", "Ann"], "answer_start": [0, 0]}},
    {"id": "b", "title": "Ann", "context": "Bob stayed.", "question": "Who fell?",
     "answers": {"text": [], "answer_start": []}},
    {"id": "c", "title": "Bob", "context": "Bob stayed.", "question": "Who?",
     "answers": {"text": ["Bob"], "answer_start": []}},
]  # fmt: skip


def test_no_validation_question_has_a_context_that_is_trained_on(recipe, tmp_path: Path):
    mix = read_mix(replace(recipe, held_out_share=0.3), tmp_path / "data")
    trained = {example.context for example in mix.train}
    held_out = {example.context for example in mix.validation}
    assert trained
    assert held_out
    assert not trained & held_out
    assert len({example.id for example in mix.validation}) == len(mix.validation)
    assert mix.counts["train_questions"] == len(mix.train) == len(mix.repeats)
    again = read_mix(replace(recipe, held_out_share=0.3), tmp_path / "data")
    assert again == mix


def test_negatives_are_made_on_either_side_from_its_own_contexts(recipe, tmp_path: Path):
    source = replace(recipe.sources[0], negatives_share=1.0, repeats=2)
    mix = read_mix(replace(recipe, sources=(source,), held_out_share=0.4), tmp_path / "data")
    for part in (mix.train, mix.validation):
        own = {example.context for example in part if not example.id.endswith("#other")}
        negatives = [example for example in part if example.id.endswith("#other")]
        assert negatives
        assert {example.context for example in negatives} <= own
    assert set(mix.repeats) == {2}


def test_questions_are_drawn_where_there_are_more_than_asked_for(recipe, tmp_path: Path):
    sources = (replace(recipe.sources[0], max_questions=10),)
    mix = read_mix(replace(recipe, sources=sources, validation_questions=1), tmp_path / "data")
    assert len(mix.validation) == 1
    assert len(mix.train) < 10


def test_hub_rows_are_read_like_squad_files(monkeypatch, recipe, tmp_path: Path):
    asked_for: list[Any] = []

    def load_dataset(*names, **settings):
        asked_for.append((names, settings))
        return ROWS

    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    source = QaSource(hub="rajpurkar/squad_v2", revision="abc", split="train")
    mix = read_mix(
        replace(recipe, sources=(source,), validation=(QaSource(path="train.json.gz"),)), tmp_path / "data"
    )
    assert asked_for == [(("rajpurkar/squad_v2", None), {"split": "train", "revision": "abc"})]
    assert [(example.id, example.answers) for example in mix.train] == [("a", ((0, "Ann"),)), ("b", ())]
    assert mix.train[0].article == mix.train[1].article
    assert mix.counts["rows_left_out"] == 1
    assert mix.counts["first_rows_left_out"][0].startswith("rajpurkar/squad_v2 row 3: answers of 'c'")


def test_a_local_folder_of_datasets_is_read(tmp_path: Path):
    datasets = pytest.importorskip("datasets")
    folder = tmp_path / "set"
    folder.mkdir()
    datasets.Dataset.from_list(ROWS[:2]).to_parquet(folder / "train.parquet")
    raw = list(hub_questions(str(folder), split="train"))
    assert [(row.id, row.answers) for row in raw] == [
        ("a", [{"text": "Ann", "answer_start": 0}] * 2),
        ("b", []),
    ]


def test_a_data_set_that_cannot_be_loaded_is_named(monkeypatch):
    datasets = pytest.importorskip("datasets")

    def load_dataset(*_, **__):
        raise ConnectionError("no\nnetwork")

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    with pytest.raises(DataError, match="'a/b' cannot be loaded: no network"):
        list(hub_questions("a/b", split="train"))

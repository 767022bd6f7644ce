from __future__ import annotations

import json
from pathlib import Path

import pytest

from labelwise.errors import InputError

pytest.importorskip("torch")

from labelwise.training.qa.recipe import QaHyperparameters, QaRecipe, QaSource, load_qa_recipe

RECIPES = Path(__file__).parents[3] / "recipes"


def test_the_readers_recipe_loads_and_names_no_report_set():
    recipe = load_qa_recipe(RECIPES / "reader-minilm.json")
    assert {source.path.rpartition("/")[2] for source in recipe.sources} >= {
        "squadshifts_new_wiki_train.json.gz",
        "passages.jsonl.gz",
    }
    assert all("report" not in source.name for source in recipe.sources)


def test_a_recipe_comes_back_from_what_it_is_written_as(tmp_path: Path):
    recipe = QaRecipe(
        name="reader",
        base="microsoft/deberta-v3-xsmall",
        base_revision="abc",
        sources=(QaSource(hub="rajpurkar/squad_v2", revision="def"), QaSource(path="more.json")),
        validation=(QaSource(hub="rajpurkar/squad_v2", split="validation"),),
        hyperparameters=QaHyperparameters(patience=2, precision="bf16"),
    )
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(recipe.to_dict()))
    assert load_qa_recipe(path) == recipe


def test_sources_share_the_defaults_that_they_do_not_overrule(tmp_path: Path):
    path = tmp_path / "recipe.json"
    sources = [{"path": "a.json"}, {"path": "b.json", "negatives_share": 0.1}]
    path.write_text(
        json.dumps({"name": "r", "base": "b", "defaults": {"negatives_share": 0.5}, "sources": sources})
    )
    assert [source.negatives_share for source in load_qa_recipe(path).sources] == [0.5, 0.1]


def test_a_source_may_be_a_file_alone(tmp_path: Path):
    (tmp_path / "recipe.json").write_text(
        '{"name": "own", "base": "b", "sources": ["a.json"], "defaults": {"licence": "MIT"}}'
    )
    assert load_qa_recipe(tmp_path / "recipe.json").sources == (QaSource(path="a.json", licence="MIT"),)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "give one of them"),
        ({"path": "a.json", "hub": "a/b"}, "give one of them"),
        ({"path": "qa/squad2_dev_report.json.gz"}, "report set"),
        ({"path": "a.json", "negatives_share": 1.5}, "negatives_share"),
        ({"path": "a.json", "repeats": 0}, "repeats"),
        ({"path": "a.json", "max_questions": 0}, "max_questions"),
    ],
)
def test_a_source_that_makes_no_sense_is_refused(settings, message):
    with pytest.raises(InputError, match=message):
        QaSource(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"learning_rate": 2},
        {"epochs": 0},
        {"max_tokens": 8},
        {"stride": -1},
        {"precision": "int8"},
        {"attention": "flash"},
        {"patience": 0},
        {"warmup_ratio": 1.0},
        {"max_empty_windows": -1},
    ],
)
def test_hyperparameters_out_of_range_are_refused(settings):
    with pytest.raises(InputError):
        QaHyperparameters(**settings)


def test_a_run_without_any_validation_is_refused():
    with pytest.raises(InputError, match="nothing is measured"):
        QaRecipe(name="r", base="b", sources=(QaSource(path="a.json"),), held_out_share=0)

from __future__ import annotations

import json
from pathlib import Path

import pytest

from labelwise.errors import DataError, InputError
from labelwise.training.labels.recipe import (
    ExampleSettings,
    LabelHyperparameters,
    LabelRecipe,
    TextSource,
    load_label_recipe,
)

RECIPES = Path(__file__).parents[3] / "recipes"


def test_defaults_are_those_of_the_published_script():
    chosen = LabelHyperparameters()
    assert (chosen.learning_rate, chosen.batch_size, chosen.accumulation) == (4e-5, 32, 2)
    assert (chosen.warmup_ratio, chosen.weight_decay, chosen.max_grad_norm) == (0.05, 1e-3, 2.0)
    assert (chosen.scheduler, chosen.is_gradient_checkpointed) == ("cosine", False)
    assert (chosen.epochs, chosen.patience) == (10, 3)


def test_a_recipe_is_read_back_as_it_was_written(tmp_path: Path):
    source = TextSource(path="c.jsonl", licence="MIT", columns={"text": "body"}, max_rows=9)
    recipe = LabelRecipe(name="a", base="b", sources=(source,), examples=ExampleSettings(max_labels=7))
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(recipe.to_dict()))
    assert load_label_recipe(path) == recipe


def test_the_shipped_recipe_can_be_read():
    recipe = load_label_recipe(RECIPES / "gliznet-minilm.json")
    assert recipe.examples.max_tokens == 128
    assert all(source.licence != "none stated" for source in recipe.sources)


def test_a_source_is_a_path_or_its_fields_over_the_defaults(tmp_path: Path):
    path = tmp_path / "recipe.yaml"
    path.write_text(
        "name: a\nbase: b\ndefaults: {licence: MIT, max_rows: 5}\nvalidation: [e.csv]\n"
        "sources:\n  - c.jsonl\n"
        "  - {path: d.csv, licence: own, columns: {label: tag}, label_names: {1: toys}}\n"
    )
    recipe = load_label_recipe(path)
    assert recipe.sources == (
        TextSource(path="c.jsonl", licence="MIT", max_rows=5),
        TextSource(
            path="d.csv", licence="own", max_rows=5, columns={"label": "tag"}, label_names={"1": "toys"}
        ),
    )
    assert recipe.validation == (TextSource(path="e.csv", licence="MIT", max_rows=5),)


def test_the_shipped_deepspeed_configuration_is_zero_2():
    values = json.loads((RECIPES / "deepspeed-zero2.json").read_text())
    assert values["zero_optimization"]["stage"] == 2
    assert values["gradient_accumulation_steps"] == "auto"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sources": []}, "sources is empty"),
        ({"sources": ["sst2_report.jsonl"]}, "report set"),
        ({"validation": [{"path": "sst2_report.jsonl"}]}, "report set"),
        ({"sources": "c.jsonl"}, "sources is 'c.jsonl': give a list"),
        ({"sources": [{"path": "c.jsonl", "license": "MIT"}]}, "c.jsonl in sources has an unknown field"),
        ({"sources": [{"path": "c.jsonl", "columns": {"tags": "t"}}]}, "columns of c.jsonl names 'tags'"),
        ({"sources": [{"path": "c.jsonl", "columns": "t"}]}, "columns of c.jsonl is 't': give a mapping"),
        ({"sources": [{"path": "c.jsonl", "max_rows": 0}]}, "max_rows of c.jsonl is 0"),
        ({"speed": 1}, "unknown field 'speed'"),
        ({"hyperparameters": {"lr": 1}}, "hyperparameters has an unknown field 'lr'"),
        ({"hyperparameters": {"precision": "int8"}}, "precision is 'int8'"),
        ({"hyperparameters": {"patience": 0}}, "patience is 0"),
        ({"examples": {"max_labels": 0}}, "max_labels is 0"),
        ({"examples": {"space_for_underscore": 2}}, "space_for_underscore is 2"),
    ],
)
def test_a_recipe_that_cannot_run_is_refused_by_field(tmp_path: Path, values, message):
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps({"name": "a", "base": "b", "sources": ["c.jsonl"], **values}))
    with pytest.raises(InputError, match=message):
        load_label_recipe(path)


def test_a_recipe_that_is_not_json_is_named(tmp_path: Path):
    path = tmp_path / "recipe.json"
    path.write_text("{")
    with pytest.raises(DataError, match=r"recipe\.json"):
        load_label_recipe(path)

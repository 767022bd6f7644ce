from __future__ import annotations

import json
from pathlib import Path

import pytest

from labelwise.errors import DataError, InputError
from labelwise.training.labels.recipe import (
    ExampleSettings,
    LabelHyperparameters,
    LabelRecipe,
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
    recipe = LabelRecipe(name="a", base="b", sources=("c.jsonl",), examples=ExampleSettings(max_labels=7))
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(recipe.to_dict()))
    assert load_label_recipe(path) == recipe


def test_the_shipped_recipe_can_be_read():
    assert load_label_recipe(RECIPES / "gliznet-minilm.json").examples.max_tokens == 128


def test_the_shipped_deepspeed_configuration_is_zero_2():
    values = json.loads((RECIPES / "deepspeed-zero2.json").read_text())
    assert values["zero_optimization"]["stage"] == 2
    assert values["gradient_accumulation_steps"] == "auto"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sources": []}, "sources is empty"),
        ({"sources": ["sst2_report.jsonl"]}, "report set"),
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

import json
import sys

import pytest

from labelwise.errors import DataError, InputError, MissingExtraError
from labelwise.training.labels.recipe import load_label_recipe
from labelwise.training.multitask.recipe import load_multitask_recipe
from labelwise.training.qa.recipe import load_qa_recipe
from labelwise.training.recipe import Hyperparameters, load_recipe
from labelwise.training.recipe_file import build_part, read_recipe_file


@pytest.fixture
def write(tmp_path):
    def write_recipe(file_name, /, **values):
        path = tmp_path / file_name
        path.write_text(json.dumps(values))
        return path

    return write_recipe


def test_a_recipe_like_another_changes_only_what_it_gives(write):
    write("first.json", name="first", seed=3, hyperparameters={"steps": 10, "learning_rate": 0.1})
    path = write("second.json", name="second", like="first.json", hyperparameters={"steps": 20})
    assert read_recipe_file(path) == {
        "name": "second",
        "seed": 3,
        "hyperparameters": {"steps": 20, "learning_rate": 0.1},
    }


def test_a_recipe_like_nothing_is_read_as_it_stands(write):
    assert read_recipe_file(write("only.json", name="only")) == {"name": "only"}


def test_likeness_goes_on_over_several_recipes_and_the_nearest_has_the_say(write):
    write("first.json", name="first", seed=3, hyperparameters={"steps": 10, "learning_rate": 0.1})
    write("second.json", like="first.json", seed=4, hyperparameters={"steps": 20})
    third = read_recipe_file(write("third.json", name="third", like="second.json"))
    assert third == {"name": "third", "seed": 4, "hyperparameters": {"steps": 20, "learning_rate": 0.1}}


def test_likeness_in_a_ring_or_to_no_file_is_one_clear_error(write):
    write("a.json", like="b.json")
    with pytest.raises(DataError, match=r"b\.json is like itself, by way of b\.json, a\.json"):
        read_recipe_file(write("b.json", like="a.json"))
    with pytest.raises(DataError, match=r"cannot read the recipe .*absent\.json"):
        read_recipe_file(write("c.json", like="absent.json"))


@pytest.mark.parametrize("ending", ["yaml", "yml", "YAML"])
def test_a_yaml_recipe_says_what_the_same_json_says(write, tmp_path, ending):
    values = {"name": "a", "seed": 3, "sources": [{"path": "b.json"}], "hyperparameters": {"epochs": 2}}
    path = tmp_path / f"recipe.{ending}"
    path.write_text("name: a\nseed: 3\nsources:\n  - {path: b.json}\nhyperparameters:\n  epochs: 2\n")
    assert read_recipe_file(path) == read_recipe_file(write("recipe.json", **values)) == values


@pytest.mark.parametrize("written", ["2e-5", "2E-5", "2.e-5", "0.00002", "+2.0e-5"])
def test_a_learning_rate_in_yaml_is_a_number_however_it_is_written(tmp_path, written):
    path = tmp_path / "recipe.yaml"
    path.write_text(f"hyperparameters: {{learning_rate: {written}}}\nname: 2e-5x\n")
    assert read_recipe_file(path) == {"hyperparameters": {"learning_rate": 2e-5}, "name": "2e-5x"}


def test_a_yaml_recipe_may_be_like_a_json_one_and_the_other_way_round(write, tmp_path):
    write("first.json", name="first", seed=3, hyperparameters={"steps": 10})
    (tmp_path / "second.yaml").write_text("like: first.json\nhyperparameters: {rate: 1e-3}\n")
    third = read_recipe_file(write("third.json", like="second.yaml", name="third"))
    assert third == {"name": "third", "seed": 3, "hyperparameters": {"steps": 10, "rate": 1e-3}}


def test_yaml_without_pyyaml_is_one_line_that_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    (tmp_path / "recipe.yaml").write_text("name: a\n")
    with pytest.raises(MissingExtraError, match=r"^this needs 'yaml'.*pip install 'labelwise\[train\]'$"):
        read_recipe_file(tmp_path / "recipe.yaml")


@pytest.mark.parametrize("load", [load_recipe, load_qa_recipe, load_label_recipe, load_multitask_recipe])
def test_every_kind_of_recipe_may_be_yaml(tmp_path, load):
    path = tmp_path / "recipe.yaml"
    path.write_text("name: a\nspeed: 1\n")
    with pytest.raises(InputError, match="unknown field 'speed'"):
        load(path)


def test_a_field_without_a_value_counts_as_left_out(write, tmp_path):
    write("first.json", name="first", earlier="x")
    path = tmp_path / "recipe.yaml"
    path.write_text("like: first.json\nearlier:\nhyperparameters:\n")
    assert read_recipe_file(path) == {"name": "first", "hyperparameters": {}}


def test_a_part_that_is_no_mapping_is_named():
    with pytest.raises(InputError, match=r"hyperparameters is \['epochs'\]: give its fields by name"):
        build_part(Hyperparameters, ["epochs"], where="hyperparameters")

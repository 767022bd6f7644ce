import json

import pytest

from labelwise.errors import DataError
from labelwise.training.recipe_file import read_recipe_file


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

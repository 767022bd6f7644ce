import json
from pathlib import Path

import pytest

from labelwise.errors import InputError
from labelwise.training.multitask.recipe import (
    AnswerSource,
    LabelSource,
    MultitaskHyperparameters,
    load_multitask_recipe,
)
from labelwise.training.recipe_file import read_recipe_file

RECIPE = Path(__file__).parents[3] / "recipes" / "bundled-multitask.json"


def test_the_shipped_recipe_is_read_and_names_a_licence_for_every_file():
    recipe = load_multitask_recipe(RECIPE)
    assert all(source.licence for source in (*recipe.classify, *recipe.answer))
    assert (RECIPE.parent / recipe.entail_recipe).is_file()
    emotions = next(source for source in recipe.classify if "goemotions" in source.path)
    assert emotions.wordings["joy"][0] == "joyful"


def test_a_recipe_survives_being_written_out(tmp_path):
    recipe = load_multitask_recipe(RECIPE)
    (tmp_path / "again.json").write_text(json.dumps(recipe.to_dict()))
    assert load_multitask_recipe(tmp_path / "again.json") == recipe


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"validation": ["classification/sst2_report.jsonl.gz"]}, "sst2_report.jsonl.gz is a report set"),
        ({"answer": [{"path": "qa/squad2_dev_report.json.gz", "licence": "x"}]}, "is a report set"),
        ({"answer": []}, "classify or answer is empty"),
        ({"colour": 1}, "unknown field 'colour'"),
        ({"classify": [{"path": "a", "kind": "texts", "licence": "x", "wordings": "none"}]}, "'none' of a"),
    ],
)
def test_a_wrong_recipe_is_refused_by_what_is_wrong(tmp_path, change, message):
    values = read_recipe_file(RECIPE) | change
    (tmp_path / "recipe.json").write_text(json.dumps(values))
    with pytest.raises(InputError, match=message):
        load_multitask_recipe(tmp_path / "recipe.json")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LabelSource("a", "rows", "x"), "kind of a is 'rows': use one of texts, judged"),
        (lambda: LabelSource("a", "texts", "x", templates=("no place",)), "exactly one {}"),
        (lambda: LabelSource("a", "texts", "x", snippet_share=2.0), "snippet_share of a is 2.0"),
        (lambda: AnswerSource("a", "x", edited_share=2.0), "edited_share of a is 2.0"),
        (lambda: LabelSource("a", "texts", "x", max_labels=1), "max_labels of a is 1: use at least 2"),
        (lambda: MultitaskHyperparameters(steps=0), "steps is 0"),
        (lambda: MultitaskHyperparameters(shares={"sing": 1.0}), "shares names"),
        (lambda: MultitaskHyperparameters(batch_sizes={"entail": 0}), "use at least 1"),
        (lambda: MultitaskHyperparameters(learning_rate=3.0), "learning_rate is 3.0"),
    ],
)
def test_a_value_without_meaning_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()

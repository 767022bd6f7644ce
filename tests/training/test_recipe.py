from __future__ import annotations

import json
from pathlib import Path

import pytest

from labelwise.errors import DataError, InputError
from labelwise.training.recipe import Hyperparameters, Source, load_recipe
from labelwise.training.settings import settings_from

BUNDLED = Path(__file__).parents[2] / "recipes" / "bundled-nli.json"
SMALL = {
    "name": "small",
    "base": "folder",
    "classes": ["entailment", "not_entailment"],
    "validation": "nli/v.jsonl",
    "validation_rows": 10,
    "seed": 1,
    "defaults": {"licence": "MIT", "repeats": 2},
    "sources": [{"path": "nli/a.jsonl", "kind": "pairs"}, {"path": "b.jsonl", "kind": "texts", "repeats": 1}],
}


def load(tmp_path: Path, **changes):
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps({**SMALL, **changes}))
    return load_recipe(path)


def test_sources_share_the_defaults_and_may_override_them(tmp_path):
    recipe = load(tmp_path)
    assert [(source.licence, source.repeats) for source in recipe.sources] == [("MIT", 2), ("MIT", 1)]


def test_a_recipe_survives_being_written_and_read_back(tmp_path):
    recipe = load(tmp_path)
    path = tmp_path / "again.json"
    path.write_text(json.dumps(recipe.to_dict()))
    assert load_recipe(path) == recipe


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": ["entailment"]}, "classes is"),
        ({"classes": ["entailment", "entailment", "not_entailment"]}, "classes is"),
        ({"sources": []}, "sources is empty"),
        ({"colour": 1}, "'colour'"),
        ({"hyperparameters": {"learning_rate": 3}}, "learning_rate is 3"),
        ({"hyperparameters": {"precision": "int8"}}, "precision is 'int8'"),
        ({"hyperparameters": {"patience": 0}}, "patience is 0"),
        ({"hyperparameters": {"accumulation": 1.5}}, "accumulation is 1.5"),
        ({"hyperparameters": {"scheduler": "constant"}}, "scheduler is 'constant'"),
        ({"validation": "nli/mnli_matched_report.jsonl.gz"}, "report set"),
        ({"sources": [{"path": "classification/sst2_report.jsonl.gz", "kind": "texts"}]}, "report set"),
        ({"sources": [{"path": "a.jsonl", "kind": "pears"}]}, "'pears'"),
        ({"sources": [{"kind": "pairs"}]}, "path"),
    ],
)
def test_a_faulty_recipe_is_refused_with_the_value(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        load(tmp_path, **changes)


def test_a_template_must_hold_one_placeholder():
    for template in ("no placeholder", "{} and {}"):
        with pytest.raises(InputError, match="exactly one"):
            Source("a", "texts", "MIT", templates=(template,))


def test_a_recipe_that_is_not_json_is_a_data_error(tmp_path):
    (tmp_path / "recipe.json").write_text("{")
    with pytest.raises(DataError, match="cannot read the recipe"):
        load_recipe(tmp_path / "recipe.json")


def test_the_defaults_are_the_published_ones():
    defaults = Hyperparameters()
    assert (defaults.learning_rate, defaults.batch_size, defaults.epochs) == (2e-5, 32, 3)
    assert (defaults.warmup_ratio, defaults.weight_decay) == (0.06, 0.01)
    assert (defaults.accumulation, defaults.patience, defaults.scheduler) == (1, None, "linear")


def test_a_recipe_says_all_that_a_trainer_is_told(tmp_path):
    chosen = {
        "accumulation": 4,
        "scheduler": "cosine",
        "precision": "auto",
        "patience": 3,
        "is_gradient_checkpointed": True,
    }
    settings = settings_from(load(tmp_path, hyperparameters=chosen).hyperparameters, seed=1)
    assert {name: getattr(settings, name) for name in chosen} == chosen


def test_the_bundled_recipe_trains_only_on_sets_whose_licence_lets_weights_ship():
    recipe = load_recipe(BUNDLED)
    assert all(source.licence for source in recipe.sources)
    paths = " ".join(source.path for source in recipe.sources)
    assert not any(name in paths for name in ("sick", "airline", "reuters", "acceptability", "bbc_news"))


def test_the_bundled_recipe_trains_on_no_set_kept_for_tuning():
    described = BUNDLED.parents[2] / "shared" / "data" / "classification" / "datasets.json"
    if not described.is_file():
        pytest.skip("needs ../shared/data")
    datasets = json.loads(described.read_text())
    for source in load_recipe(BUNDLED).sources:
        if source.path.startswith("classification/"):
            dataset = datasets[Path(source.path).name.removesuffix(".jsonl.gz")]
            assert dataset["use"].startswith("train")
            assert source.licence == dataset["licence"]

from __future__ import annotations

import json
from pathlib import Path

import pytest

from labelwise.errors import DataError, InputError
from labelwise.evaluation.registry import find_dataset
from labelwise.training.recipe import load_recipe
from labelwise.training.sources import Source, source_from

UNIVERSAL = Path(__file__).parents[2] / "recipes" / "universal-33.json"


def build(written, defaults=None, folder=Path()) -> Source:
    return source_from(written, defaults=defaults or {}, folder=folder)


def test_a_source_may_lie_in_a_json_or_yaml_file_of_its_own(tmp_path):
    (tmp_path / "a.json").write_text('{"path": "a.csv", "kind": "pairs", "licence": "MIT", "max_rows": 3}')
    (tmp_path / "b.yaml").write_text(
        "path: b.tsv\nkind: texts\nlicence: CC0\ncolumns: {text: Body, label: Class}\n"
        "label_names:\n  0: ham\n  1: spam\ntemplates: ['It is {}.']\n"
    )
    first = build("a.json", folder=tmp_path)
    second = build({"description": "b.yaml", "licence": "MIT"}, folder=tmp_path)
    assert (first.path, first.max_rows) == ("a.csv", 3)
    assert (second.licence, second.columns) == ("MIT", {"text": "Body", "label": "Class"})
    assert second.label_names == {"0": "ham", "1": "spam"}


@pytest.mark.parametrize("text", ["a: [", "- a\n- b\n", "!!python/object/apply:os.getcwd []"])
def test_a_yaml_file_that_is_no_plain_mapping_is_an_error(tmp_path, text):
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(DataError, match=r"bad\.yaml"):
        build("bad.yaml", folder=tmp_path)


def test_a_whole_recipe_may_be_yaml(tmp_path):
    (tmp_path / "r.yml").write_text(
        "name: small\nbase: folder\nclasses: [entailment, not_entailment]\nvalidation: v.csv\n"
        "validation_rows: 5\nseed: 1\nsources:\n  - {path: a.csv, kind: pairs, licence: MIT}\n"
    )
    assert load_recipe(tmp_path / "r.yml").sources[0].path == "a.csv"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "pairs", "licence": "MIT"}, "no path, hub or registry"),
        ({"path": "a", "hub": "o/n", "kind": "pairs", "licence": "MIT"}, "hub and path"),
        ({"path": "a", "kind": "pairs"}, "licence of a is missing"),
        ({"path": "a", "kind": "pairs", "licence": "MIT", "columns": {"text": "t"}}, "names 'text'"),
        ({"path": "a", "kind": "pairs", "licence": "MIT", "label_names": "x"}, "give a mapping"),
        ({"path": "a", "kind": "texts", "licence": "MIT", "hard_negatives_per_text": -1}, "at least 0"),
        ({"path": "a", "kind": "texts", "licence": "MIT", "colour": 1}, "'colour'"),
        ({"registry": "mnist"}, "'mnist' is registered"),
        (3, "a source is 3"),
    ],
)
def test_a_faulty_source_is_refused_with_the_value(fields, message):
    with pytest.raises(InputError, match=message):
        build(fields)


def test_a_registered_set_brings_the_published_recipe_and_fields_beside_it_win():
    source = build({"registry": "agnews"}, defaults={"negatives": "labels", "repeats": 2})
    assert (source.kind, source.negatives, source.repeats) == ("texts", "texts", 2)
    assert (source.max_texts_per_class, source.max_rows) == (500, 5000)
    assert source.wording == find_dataset("agnews").hypotheses
    assert build({"registry": "agnews", "max_texts_per_class": 7}).max_texts_per_class == 7


def test_the_universal_recipe_uses_all_33_datasets_and_the_published_hyperparameters():
    recipe = load_recipe(UNIVERSAL)
    chosen = recipe.hyperparameters
    assert len({source.registry for source in recipe.sources}) == len(recipe.sources) == 33
    assert (chosen.learning_rate, chosen.batch_size, chosen.epochs) == (2e-5, 32, 3)
    assert (chosen.warmup_ratio, chosen.weight_decay, chosen.max_tokens, recipe.seed) == (0.06, 0.01, 512, 42)
    assert set(recipe.classes) == {"entailment", "not_entailment"}


def test_only_what_must_be_fetched_by_hand_is_optional_in_the_universal_recipe():
    for source in load_recipe(UNIVERSAL).sources:
        assert source.is_optional is (find_dataset(source.registry).hub is None)


def test_the_universal_recipe_survives_being_written_and_read_back(tmp_path):
    recipe = load_recipe(UNIVERSAL)
    (tmp_path / "again.json").write_text(json.dumps(recipe.to_dict()))
    assert load_recipe(tmp_path / "again.json") == recipe


def test_a_run_trains_on_a_csv_described_in_yaml_beside_a_registered_set(tiny_base, write_rows, tmp_path):
    pytest.importorskip("accelerate")
    from labelwise.training.nli import train_nli

    rows = ["s1,s2,gold", *["the shop is open,this is open,0", "the shop is open,this is closed,2"] * 8]
    write_rows("data/pairs.csv", rows)
    texts = [{"sms": f"the shop sold bread {i}", "label": "spam" if i % 2 else "ham"} for i in range(20)]
    write_rows("data/sms.jsonl", texts)
    write_rows("data/v.jsonl", [{"premise": "the shop", "hypothesis": "this is open", "label": "neutral"}])
    write_rows(
        "recipes/pairs.yaml",
        [
            "{path: pairs.csv, kind: pairs, licence: own,",
            "columns: {premise: s1, hypothesis: s2, label: gold},",
            "label_names: {0: entailment, 2: contradiction}}",
        ],
    )
    recipe = {
        "name": "tiny",
        "base": str(tiny_base),
        "classes": ["entailment", "not_entailment"],
        "validation": "v.jsonl",
        "validation_rows": 1,
        "seed": 1,
        "hyperparameters": {"epochs": 1, "max_tokens": 24, "batch_size": 8},
        "sources": ["pairs.yaml", {"registry": "spam", "path": "sms.jsonl"}],
    }
    path = write_rows("recipes/r.json", [recipe])
    train_nli(load_recipe(path), data_dir=tmp_path / "data", output_dir=tmp_path / "run")
    counts = json.loads((tmp_path / "run" / "metrics.json").read_text())["pairs_per_source"]
    assert counts["pairs.csv"] == 16
    assert counts["spam"] > 20

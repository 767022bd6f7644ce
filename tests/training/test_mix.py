from __future__ import annotations

import csv
import gzip
import logging
from collections import Counter

import pytest

from labelwise.errors import DataError, InputError
from labelwise.training.mix import training_pairs, validation_pairs
from labelwise.training.recipe import Hyperparameters, NliRecipe
from labelwise.training.sources import source_from

datasets = pytest.importorskip("datasets")


def recipe(*sources, validation="v.csv", folder=None) -> NliRecipe:
    return NliRecipe(
        name="small",
        base="folder",
        classes=("entailment", "not_entailment"),
        sources=tuple(source_from(source, defaults={}, folder=folder) for source in sources),
        validation=validation,
        validation_rows=10,
        seed=1,
        hyperparameters=Hyperparameters(),
    )


def write_table(path, rows, delimiter=","):
    with gzip.open(path, "wt") if path.suffix == ".gz" else path.open("w") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def hub(monkeypatch):
    """Answers load_dataset with tables given by hub id."""
    tables = {}

    def load_dataset(path, name, *, split, **more):
        if path not in tables:
            raise datasets.exceptions.DatasetNotFoundError(f"Dataset '{path}' doesn't exist on the Hub")
        return tables[path]

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return tables


PAIR = {"kind": "pairs", "licence": "MIT"}
RENAMED = {
    **PAIR,
    "columns": {"premise": "s1", "hypothesis": "s2", "label": "gold"},
    "label_names": {"0": "entailment", "1": "neutral", "2": "contradiction"},
}
ROWS = [
    {"s1": "It rains.", "s2": "It is wet.", "gold": 0},
    {"s1": "It rains.", "s2": "It is dry.", "gold": 2},
]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.csv.gz", "a.jsonl", "a.parquet"])
def test_pairs_are_read_from_each_format_with_columns_and_labels_of_any_name(tmp_path, name):
    path = tmp_path / name
    if name == "a.parquet":
        datasets.Dataset.from_list(ROWS).to_parquet(str(path))
    elif name == "a.jsonl":
        datasets.Dataset.from_list(ROWS).to_json(str(path))
    else:
        write_table(path, ROWS, "\t" if "tsv" in name else ",")
    pairs, counts = training_pairs(recipe({**RENAMED, "path": name}), tmp_path)
    assert [(pair.hypothesis, pair.label) for pair in pairs] == [
        ("It is wet.", "entailment"),
        ("It is dry.", "contradiction"),
    ]
    assert counts == {name: 2}


def test_bad_rows_are_named_and_counted_and_the_run_goes_on(tmp_path, caplog):
    write_table(tmp_path / "a.csv", [*ROWS, *[{"s1": "x", "s2": "y", "gold": 9}] * 7, {**ROWS[0], "s2": ""}])
    with caplog.at_level(logging.WARNING):
        pairs, _ = training_pairs(recipe({**RENAMED, "path": "a.csv"}), tmp_path)
    assert len(pairs) == 2
    assert "a.csv row 3: label '9' is not in label_names" in caplog.text
    assert "left out 8 rows of a.csv in all" in caplog.text


def test_a_column_that_a_table_lacks_is_an_error_that_names_those_there_are(tmp_path):
    write_table(tmp_path / "a.csv", ROWS)
    source = {**RENAMED, "path": "a.csv", "columns": {"premise": "text"}}
    with pytest.raises(InputError, match=r"no column 'text': it has 's1', 's2', 'gold'"):
        training_pairs(recipe(source), tmp_path)


def test_a_source_that_cannot_be_read_stops_the_run_unless_it_is_optional(tmp_path, caplog):
    write_table(tmp_path / "a.csv", ROWS)
    good, absent = {**RENAMED, "path": "a.csv"}, {**RENAMED, "path": "absent.csv"}
    with pytest.raises(DataError, match=r"absent\.csv"):
        training_pairs(recipe(good, absent), tmp_path)
    pairs, counts = training_pairs(recipe(good, {**absent, "is_optional": True}), tmp_path)
    assert len(pairs) == 2
    assert counts == {"a.csv": 2}
    assert "absent.csv" in caplog.text
    with pytest.raises(DataError, match="no source of small gives a pair"):
        training_pairs(recipe({**absent, "is_optional": True}), tmp_path)


def test_hub_texts_are_recast_with_their_class_names(tmp_path, hub):
    features = datasets.Features(
        {"sms": datasets.Value("string"), "class": datasets.ClassLabel(names=["ham", "spam"])}
    )
    rows = {"sms": ["hi", "buy", "bye"], "class": [0, 1, 0]}
    hub["o/n"] = datasets.Dataset.from_dict(rows, features=features)
    source = {"hub": "o/n", "kind": "texts", "licence": "MIT", "columns": {"text": "sms", "label": "class"}}
    pairs, counts = training_pairs(recipe({**source, "templates": ["It is {}."]}), tmp_path)
    assert {(pair.premise, pair.hypothesis) for pair in pairs if pair.label == "entailment"} == {
        ("hi", "It is ham."),
        ("buy", "It is spam."),
        ("bye", "It is ham."),
    }
    assert counts == {"o/n:train": 6}
    with pytest.raises(DataError, match="'o/absent'"):
        training_pairs(recipe({**source, "hub": "o/absent"}), tmp_path)


def test_a_registered_set_gives_balanced_pairs_within_its_caps(tmp_path, hub):
    features = datasets.Features(
        {
            "text": datasets.Value("string"),
            "label": datasets.ClassLabel(names=["World", "Sports", "Business"]),
        }
    )
    rows = {"text": [f"news {i}" for i in range(60)] + ["news 0", " "], "label": [i % 3 for i in range(62)]}
    hub["fancyzhx/ag_news"] = datasets.Dataset.from_dict(rows, features=features)
    source = {"registry": "ag_news", "max_texts_per_class": 5}
    pairs, counts = training_pairs(recipe(source), tmp_path)
    assert counts == {"agnews": 30}
    assert set(Counter((pair.hypothesis, pair.label) for pair in pairs).values()) == {5}
    assert pairs == training_pairs(recipe(source), tmp_path)[0]


def test_a_registered_set_may_come_from_a_local_file(tmp_path):
    rows = [{"sms": f"message {i}", "label": "spam" if i % 2 else "ham"} for i in range(50)]
    write_table(tmp_path / "sms.csv", rows)
    pairs, _ = training_pairs(recipe({"registry": "spam", "path": "sms.csv"}), tmp_path)
    assert {pair.hypothesis for pair in pairs} == {
        "This text message is spam.",
        "This text message is not spam.",
    }
    # A fifth of the texts is held out for testing.
    assert 30 <= len({pair.premise for pair in pairs}) < 50


def test_a_registered_set_that_is_not_on_the_hub_says_where_it_is(tmp_path):
    with pytest.raises(DataError, match=r"manifesto is not on the hub: .*manifesto-project"):
        training_pairs(recipe({"registry": "manifesto"}), tmp_path)


def test_a_test_column_of_a_registered_set_can_be_validated_on(tmp_path, hub):
    hub["nyu-mll/multi_nli"] = datasets.Dataset.from_dict(
        {"premise": ["a", "b"], "hypothesis": ["c", "d"], "label": [2, -1]}
    )
    (pair,) = validation_pairs(recipe({**PAIR, "path": "a"}, validation="registry:mnli_m"), tmp_path)
    assert (pair.premise, pair.hypothesis, pair.label) == ("a", "c", "contradiction")
    with pytest.raises(InputError, match=r"registry:x: use one of mnli_m"):
        validation_pairs(recipe({**PAIR, "path": "a"}, validation="registry:x"), tmp_path)

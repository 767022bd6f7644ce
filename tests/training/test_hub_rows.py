from __future__ import annotations

import pytest

from labelwise.errors import DataError, InputError
from labelwise.training.hub_rows import hub_rows

datasets = pytest.importorskip("datasets")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A dataset as the hub has it: one Parquet file per split, class labels in the metadata."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    features = datasets.Features(
        {
            "body": datasets.Value("string"),
            "class": datasets.ClassLabel(names=["ham", "spam"]),
            "votes": {"label": datasets.List(datasets.ClassLabel(names=["no", "yes"]))},
            "extra": datasets.Value("int64"),
        }
    )
    rows = {
        "body": ["hi", "buy now"],
        "class": [0, 1],
        "votes": [{"label": [0, 0]}, {"label": [1, 0]}],
        "extra": [7, 8],
    }
    place = tmp_path / "set"
    place.mkdir()
    datasets.Dataset.from_dict(rows, features=features).to_parquet(str(place / "train.parquet"))
    return str(place)


def test_rows_are_numbered_from_one_and_class_labels_have_their_names(folder):
    rows = list(hub_rows(folder, split="train", columns=["body", "class", "votes"]))
    assert [(row.number, row.values["class"]) for row in rows] == [(1, "ham"), (2, "spam")]
    assert [row.values["votes"]["label"] for row in rows] == [["no", "no"], ["yes", "no"]]
    assert set(rows[0].values) == {"body", "class", "votes"}


def test_labels_that_are_numbers_may_stay_numbers(folder):
    rows = hub_rows(folder, split="train", number_columns=["class"])
    assert [row.values["class"] for row in rows] == [0, 1]


def test_a_missing_column_is_an_error_that_names_those_there_are(folder):
    with pytest.raises(InputError, match=r"no column 'text': it has 'body', 'class', 'votes', 'extra'"):
        hub_rows(folder, split="train", columns=["text"])


def test_a_wrong_split_or_dataset_is_a_one_line_error(folder, tmp_path):
    with pytest.raises(DataError, match=r"split 'dev': .*train") as caught:
        hub_rows(folder, split="dev")
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="cannot load") as caught:
        hub_rows(str(tmp_path / "absent"), split="train")
    assert "\n" not in str(caught.value)


def test_a_wrong_configuration_names_what_was_asked_for(folder):
    with pytest.raises(DataError, match=r"config 'xx'.*'xx'"):
        hub_rows(folder, split="train", config="xx")


def test_everything_that_says_which_rows_is_passed_on(monkeypatch):
    asked = {}

    def load_dataset(path, name, **more):
        asked.update(more, path=path, name=name)
        return datasets.Dataset.from_dict({"text": ["a"]})

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    list(hub_rows("owner/name", split="train+test", config="c", data_dir="d", revision="r"))
    assert asked == {
        "path": "owner/name",
        "name": "c",
        "split": "train+test",
        "data_dir": "d",
        "revision": "r",
    }


def test_a_script_dataset_is_refused_in_one_line(monkeypatch):
    def load_dataset(*args, **more):
        raise RuntimeError("Dataset scripts are no longer supported,\nbut found x.py")

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    with pytest.raises(DataError, match="scripts are no longer supported, but found"):
        hub_rows("owner/name", split="train")

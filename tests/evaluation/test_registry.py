from __future__ import annotations

import pytest

from labelwise.errors import DataError, InputError
from labelwise.evaluation.registry import RegisteredClass, RegisteredDataset, find_dataset, read_registry

# From the published recipe: how many hypotheses each of the larger sets has.
PUBLISHED_CLASSES = {
    "banking77": 72,
    "massive": 59,
    "manifesto": 56,
    "empathetic": 32,
    "capsotu": 21,
    "yahootopics": 10,
    "emotiondair": 6,
    "emocontext": 4,
    "agnews": 4,
    "financialphrasebank": 3,
    "hateoffensive": 3,
    "hatexplain": 3,
}
GOOD = {
    "name": "colours",
    "task": "classification",
    "train_split": "train",
    "test_splits": {"colours": "test"},
    "text_columns": ("text",),
    "label_column": "label",
    "classes": {"r": RegisteredClass("red", "It is red."), "b": RegisteredClass("blue", "It is blue.")},
    "licence": "MIT",
    "hub": "owner/colours",
}


def dataset(**fields) -> RegisteredDataset:
    return RegisteredDataset(**{**GOOD, **fields})


def test_the_registry_holds_33_datasets_with_36_test_columns():
    registry = read_registry()
    assert len(registry) == 33
    assert sum(one.is_nli for one in registry) == 5
    columns = [column for one in registry for column in one.test_splits]
    assert len(columns) == len(set(columns)) == 36


def test_each_set_has_the_published_number_of_classes():
    counts = {one.name: len(one.hypotheses) for one in read_registry() if not one.is_nli}
    assert counts == {name: PUBLISHED_CLASSES.get(name, 2) for name in counts}
    assert len(counts) == 28


def test_the_published_classes_without_a_hypothesis_are_excluded():
    excluded = {one.name: one.excluded_classes for one in read_registry() if one.excluded_classes}
    assert excluded["massive"] == ("general_quirky",)
    assert excluded["capsotu"] == ("Other",)
    assert len(excluded["banking77"]) == 5
    assert len(find_dataset("banking77").classes) + 5 == 77


def test_the_published_caps_hold_for_every_classification_set_and_for_no_nli_set():
    for one in read_registry():
        caps = (one.max_train_per_class, one.max_train_texts, one.max_test_per_class)
        assert caps == ((None, None, None) if one.is_nli else (500, 5000, 5000))


def test_opposite_manifesto_classes_are_worded_differently():
    classes = find_dataset("manifesto").classes
    assert "keeping" in classes["Constitutionalism: Positive"].hypothesis
    assert "changing" in classes["Constitutionalism: Negative"].hypothesis


def test_every_hypothesis_is_one_sentence():
    for one in read_registry():
        for hypothesis in one.hypotheses.values():
            assert hypothesis[0].isupper() and hypothesis.endswith(".") and "  " not in hypothesis


def test_underscores_hyphens_and_case_do_not_matter_in_a_name():
    assert find_dataset("Amazon-Polarity") is find_dataset("amazonpolarity")
    with pytest.raises(InputError, match="no dataset 'mnist' is registered: known are mnli"):
        find_dataset("mnist")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"task": "tagging"}, "task is 'tagging'"),
        ({"task": "nli3"}, "two text columns"),
        ({"classes": {"r": RegisteredClass("red", "It is red."), "b": RegisteredClass("blue")}}, "lacks"),
        ({"classes": {"r": RegisteredClass("red", "It is red.")}}, "fewer than two"),
        (
            {
                "classes": {
                    "r": RegisteredClass("red", "It is red."),
                    "b": RegisteredClass("blue", "It is red."),
                }
            },
            "share",
        ),
        ({"excluded_classes": ("r",)}, "excluded"),
        ({"label_ranges": {"green": (0, 1)}}, "label_ranges"),
        ({"test_splits": {"colours": "train"}}, "test_share"),
        ({"test_splits": {"colours": "train"}, "test_share": 1.5}, "between 0 and 1"),
        ({"hub": None}, "note"),
    ],
)
def test_an_entry_that_contradicts_itself_is_refused(fields, message):
    with pytest.raises(DataError, match=message):
        dataset(**fields)


def test_several_labels_may_mean_one_class():
    meaning = RegisteredClass("red", "It is red.")
    one = dataset(classes={"r": meaning, "R": meaning, "b": RegisteredClass("blue", "It is blue.")})
    assert one.hypotheses == {"red": "It is red.", "blue": "It is blue."}

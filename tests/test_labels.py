"""Label sets: checked once, flattened, names kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelwise.errors import LabelError
from labelwise.labels import LabelSet, label_sets
from labelwise.template import HypothesisTemplate

names = st.lists(st.text(min_size=1).filter(str.strip), min_size=1, unique=True)


@given(names)
def test_a_list_keeps_its_names_and_order(labels):
    assert list(LabelSet.parse(labels).names) == labels


def test_a_description_is_scored_and_the_name_comes_back():
    labels = LabelSet.parse({"billing": "a problem with a payment", "other": None})
    template = HypothesisTemplate("This is {}.")
    assert [node.hypothesis(template) for node in labels.nodes] == [
        "This is a problem with a payment.",
        "This is other.",
    ]
    assert labels.names == ("billing", "other")


@pytest.mark.parametrize("end", [".", "!", "?", ". "])
def test_a_description_that_is_a_sentence_stands_for_itself(end):
    sentence = f"The customer wants money back{end}"
    node = LabelSet.parse({"refund": sentence}).nodes[0]
    assert node.hypothesis(HypothesisTemplate("This is {}.")) == sentence


def test_a_name_that_ends_like_a_sentence_still_goes_through_the_template():
    node = LabelSet.parse(["U.S."]).nodes[0]
    assert node.hypothesis(HypothesisTemplate("This is {}.")) == "This is U.S.."


def test_nested_labels_return_paths_of_their_leaves():
    labels = LabelSet.parse({"pets": ["cat", "dog"], "vehicles": {"cars": {"old": None, "new": "a new car"}}})
    assert labels.names == ("pets > cat", "pets > dog", "vehicles > cars > old", "vehicles > cars > new")
    assert labels.is_nested


def test_parents_stand_before_their_children():
    labels = LabelSet.parse({"a": {"b": {"c": ["d", "e"]}}, "f": ["g"]})
    assert all(node.parent is None or node.parent < place for place, node in enumerate(labels.nodes))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([], "labels is empty"),
        ({}, "labels is empty"),
        ({"a": []}, "labels of 'a' is empty"),
        (["a", "b", "a"], "label 'a' is given twice, at places 1 and 3"),
        (["a", "  "], "a label is blank"),
        (["a", 3], "a label must be a string, got int 3"),
        ({"a": 3}, "the description of label 'a' must be a string"),
        ({"a": " "}, "the description of label 'a' is blank"),
        ("a, b", "labels must be a list of names or a mapping, got str"),
        (None, "labels must be a list of names or a mapping, got NoneType"),
    ],
)
def test_bad_labels_are_named(labels, message):
    with pytest.raises(LabelError, match=message):
        LabelSet.parse(labels)


def test_one_set_serves_all_texts():
    first, second = label_sets(["a", "b"], num_texts=2)
    assert first is second


def test_each_text_may_have_its_own_set():
    first, second = label_sets([["a", "b"], {"c": "d"}], num_texts=2)
    assert (first.names, second.names) == (("a", "b"), ("c",))


def test_the_number_of_sets_must_be_the_number_of_texts():
    with pytest.raises(LabelError, match="2 label sets for 3 texts"):
        label_sets([["a"], ["b"]], num_texts=3)


def test_a_bad_set_names_its_text():
    with pytest.raises(LabelError, match="labels of text 2"):
        label_sets([["a"], []], num_texts=2)

"""One item, a list or a stream: the shapes, the checks, and which item an error names."""

import itertools

import pytest

from labelwise.errors import InputError, LabelError
from labelwise.inputs import (
    checked_pairs,
    checked_texts,
    in_chunks,
    one_or_many,
    single_pair,
    with_label_sets,
)

SIDES = ("premise", "hypothesis")
PAIRS = [("a", "b"), ("c", "d")]


def joined(pairs):
    return ["+".join(pair) for pair in pairs]


def test_one_pair_gives_one_result():
    assert one_or_many(("a", "b"), None, joined, sides=SIDES) == "a+b"


def test_a_list_gives_a_list():
    assert one_or_many(None, PAIRS, joined, sides=SIDES) == ["a+b", "c+d"]


def test_a_stream_gives_a_stream():
    results = one_or_many(None, iter(PAIRS), joined, sides=SIDES)
    assert iter(results) is results
    assert list(results) == ["a+b", "c+d"]


def test_a_stream_is_read_when_results_are_asked_for():
    taken = []
    results = in_chunks((taken.append(number) or number for number in itertools.count()), list)
    assert taken == []
    assert list(itertools.islice(results, 1000)) == list(range(1000))
    assert len(taken) <= 1536


def test_an_error_in_a_stream_names_the_place_among_all_items():
    texts = (" " if number == 1300 else "card" for number in itertools.count(1))
    with pytest.raises(InputError, match="text 1300 is blank"):
        list(in_chunks(with_label_sets(texts, ["a"]), list))
    pairs = (("card", "" if number == 1300 else "late") for number in itertools.count(1))
    with pytest.raises(InputError, match="the hypothesis of pair 1300 is blank"):
        list(one_or_many(None, pairs, joined, sides=SIDES))


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u3000", None, 3, b"bytes", ["list"]])
def test_what_is_no_text_is_refused_by_its_place(text):
    with pytest.raises(InputError, match=r"^text 2 (is blank|must be a string)"):
        list(checked_texts(["card", text]))


@pytest.mark.parametrize("pair", [("a",), ("a", "b", "c"), "ab", None, 3, {"a", "b"}])
def test_what_is_no_pair_is_refused_by_its_place(pair):
    with pytest.raises(InputError, match=r"^pair 2 must be \(premise, hypothesis\), got"):
        list(checked_pairs([("a", "b"), pair], *SIDES))


def test_lists_serve_as_pairs():
    assert list(checked_pairs([["a", "b"]], *SIDES)) == [("a", "b")]


@pytest.mark.parametrize("items", [None, 3])
def test_what_cannot_be_read_through_is_refused_at_once(items):
    with pytest.raises(InputError, match="texts must be a list or a stream"):
        with_label_sets(items, ["a"])
    if items is not None:
        with pytest.raises(InputError, match="pairs must be a list or a stream"):
            one_or_many(None, items, joined, sides=SIDES)


def test_one_pair_and_pairs_exclude_each_other():
    assert single_pair("a", "b", None, "premise and a hypothesis") == ("a", "b")
    assert single_pair(None, None, PAIRS, "premise and a hypothesis") is None
    with pytest.raises(InputError, match="not both"):
        single_pair("a", None, PAIRS, "premise and a hypothesis")
    for first, second in ((None, None), ("a", None), (None, "b")):
        with pytest.raises(InputError, match="give a premise and a hypothesis, or pairs"):
            single_pair(first, second, None, "premise and a hypothesis")


def test_labels_for_all_are_checked_before_the_stream_is_read():
    texts = iter(["card"])
    for labels in ([], "a,b", ["a", "a"], None, 3):
        with pytest.raises(LabelError):
            with_label_sets(texts, labels)
    assert next(texts) == "card"


@pytest.mark.parametrize("as_stream", [iter, list])
def test_each_text_may_have_labels_of_its_own(as_stream):
    found = with_label_sets(iter(["x", "y"]), as_stream([["a", "b"], {"c": None}]))
    assert [(text, label_set.names) for text, label_set in found] == [("x", ("a", "b")), ("y", ("c",))]


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        (["x", "y"], [["a"]], "the label sets end after 1, the texts go on"),
        (["x"], [["a"], ["b"]], "the texts end after 1, the label sets go on"),
        (["x", "y"], [["a"], []], "labels of text 2: labels is empty"),
    ],
)
def test_a_wrong_number_of_label_sets_is_said(texts, labels, message):
    with pytest.raises(LabelError, match=message):
        list(with_label_sets(iter(texts), iter(labels)))

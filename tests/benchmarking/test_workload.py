"""Made texts have the length that was asked, and nothing is measured on nothing."""

import pytest

from labelwise.benchmarking.workload import (
    TokenRange,
    Workload,
    made_labels,
    made_texts,
    parse_token_ranges,
)
from labelwise.checkpoints.resolve import resolve
from labelwise.errors import InputError
from labelwise.text.tokenizer import TextTokenizer


@pytest.fixture(scope="module")
def tokenizer():
    return TextTokenizer.from_folder(resolve("bundled"))


def test_texts_have_exactly_so_many_tokens(tokenizer):
    texts = made_texts(tokenizer, [1, 20, 57, 250])
    assert [len(tokenizer.encode(text)) for text in texts] == [1, 20, 57, 250]


def test_texts_differ_but_not_from_run_to_run(tokenizer):
    texts = made_texts(tokenizer, [20] * 8)
    assert len(set(texts)) == 8
    assert made_texts(tokenizer, [20] * 8) == texts


def test_a_range_is_covered_evenly_from_end_to_end():
    lengths = TokenRange(150, 350).lengths(5)
    assert sorted(lengths) == [150, 200, 250, 300, 350]
    assert TokenRange(20, 20).lengths(3) == [20, 20, 20]
    assert TokenRange(5, 9).lengths(1) == [5]


@pytest.mark.parametrize("text", ["", "twenty", "20,", "30-20", "0", "-5", "10-x"])
def test_what_is_no_length_is_refused(text):
    with pytest.raises(InputError, match="--tokens"):
        parse_token_ranges(text)


@pytest.mark.parametrize("count", [1, 81, 400])
def test_made_labels_differ(count):
    labels = made_labels(count)
    assert len(set(labels)) == len(labels) == count


def test_no_labels_are_refused():
    with pytest.raises(InputError, match="at least 1"):
        made_labels(0)


@pytest.mark.parametrize(("texts", "labels"), [((), ("a",)), (("text",), ()), (("text",), ("a", "a"))])
def test_a_workload_has_texts_and_different_labels(texts, labels):
    with pytest.raises(InputError):
        Workload("empty", texts, labels)

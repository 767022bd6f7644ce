from __future__ import annotations

import pytest

from labelwise.errors import DataError
from labelwise.training.hard_negatives import SimilarLabels

NAMES = ["lost card", "lost phone", "card arrival", "exchange rate"]


def test_labels_that_share_words_are_alike_and_others_are_not():
    similar = SimilarLabels(NAMES)
    assert set(similar.of("lost card")) == {"lost phone", "card arrival"}
    assert similar.of("exchange rate") == []


def test_more_shared_words_come_first():
    names = ["top up by card", "top up by bank", "top gear", "rate"]
    assert SimilarLabels([*names, "a", "b", "c"]).of("top up by card") == ["top up by bank", "top gear"]


def test_a_pattern_that_most_labels_follow_does_not_make_them_alike():
    names = [f"The customer asks about {thing}." for thing in ("cards", "rates", "age", "cash")]
    assert SimilarLabels(names).of(names[0]) == []


def test_a_given_list_wins_over_words():
    similar = SimilarLabels(NAMES, listed={"lost card": ["exchange rate"]})
    assert similar.of("lost card") == ["exchange rate"]
    assert similar.of("lost phone") == ["lost card"]


@pytest.mark.parametrize("listed", [{"lots card": ["lost phone"]}, {"lost card": ["lots phone"]}])
def test_a_listed_label_that_does_not_exist_is_an_error(listed):
    with pytest.raises(DataError, match="'lots"):
        SimilarLabels(NAMES, listed=listed)

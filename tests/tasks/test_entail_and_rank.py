"""Entailment and ranking through a network that is a rule."""

import numpy as np
import pytest

from labelwise.errors import InputError

LONG = "good " * 70 + "parcel " + "good " * 70


def words_of(row):
    first_sep = int(np.flatnonzero(row.ids == 2)[0])
    return row.ids[1:first_sep], row.ids[first_sep + 1 : -1]


def shares_a_word(row):
    premise, hypothesis = words_of(row)
    shared = len(set(premise) & set(hypothesis))
    return [2.0 * shared, 1.0, -1.0]


def test_probabilities_are_a_softmax_and_name_the_winner(fake_model):
    found = fake_model(shares_a_word).entail("the card", "card")
    expected = np.exp([2.0, 1.0, -1.0]) / np.exp([2.0, 1.0, -1.0]).sum()
    assert [found.entailment, found.neutral, found.contradiction] == pytest.approx(expected.tolist())
    assert found.label == "entailment"


def test_pairs_come_back_in_order(fake_model):
    model = fake_model(shares_a_word)
    pairs = [("card", "parcel"), ("a late parcel", "parcel"), ("card", "card")]
    labels = [found.label for found in model.entail(pairs=pairs)]
    assert labels == ["neutral", "entailment", "entailment"]
    assert [found.label for found in model.entail(pairs=iter(pairs))] == labels
    assert model.entail(pairs=[]) == []


def test_the_window_that_decides_speaks_for_a_long_premise(fake_model):
    found = fake_model(shares_a_word, max_tokens=32).entail(LONG, "parcel")
    assert found.label == "entailment"
    assert found.windows_read > 4


def test_ranking_is_by_entailment_with_ties_in_input_order(fake_model):
    ranked = fake_model(shares_a_word).rank("card late", ["praise", "card late", "good", "late"])
    assert [found.index for found in ranked] == [1, 3, 0, 2]
    assert ranked[0].text == "card late"
    scores = [found.score for found in ranked]
    assert scores == sorted(scores, reverse=True)


def test_top_k_keeps_the_best(fake_model):
    assert [one.index for one in fake_model(shares_a_word).rank("card", ["late", "card"], top_k=1)] == [1]


@pytest.mark.parametrize("premise", ["query", "candidate"])
def test_either_side_may_be_the_premise(fake_model, premise):
    model = fake_model(shares_a_word)
    model.rank("card card card", ["late"], premise=premise)
    lengths = [len(part) for part in words_of(model.backend.rows[0])]
    assert lengths == ([3, 1] if premise == "query" else [1, 3])


@pytest.mark.parametrize("premise", ["query", "candidate"])
def test_long_candidates_are_read_to_their_end(fake_model, premise):
    ranked = fake_model(shares_a_word, max_tokens=32).rank("parcel", ["good", LONG], premise=premise)
    assert ranked[0].index == 1
    assert ranked[0].windows_read > 4


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("card", []), {}, "candidates is empty"),
        (("card", "late"), {}, "candidates is one string"),
        (("", ["late"]), {}, "the query is blank"),
        (("card", ["late", ""]), {}, "candidate 2 is blank"),
        (("card", ["late"]), {"top_k": 0}, "top_k must be at least 1"),
        (("card", ["late"]), {"premise": "both"}, "'both' is not one of query, candidate"),
    ],
)
def test_bad_rankings_get_one_clear_line(fake_model, arguments, options, message):
    with pytest.raises(InputError, match=message):
        fake_model(shares_a_word).rank(*arguments, **options)


def test_two_class_heads_have_no_neutral(fake_model):
    import dataclasses

    from labelwise.checkpoints.heads import NliHead

    model = fake_model(lambda row: [1.0, 3.0])
    head = NliHead(entailment=1, not_entailment=0, num_classes=2)
    binary = dataclasses.replace(model, checkpoint=dataclasses.replace(model.checkpoint, head=head))
    found = binary.entail("card", "late")
    assert (found.label, found.neutral) == ("entailment", None)
    assert found.entailment + found.not_entailment == pytest.approx(1.0)


def test_the_most_entailed_window_speaks_in_a_two_class_head(fake_model):
    import dataclasses

    from labelwise.checkpoints.heads import NliHead

    model = fake_model(lambda row: shares_a_word(row)[:2], max_tokens=32)
    head = NliHead(entailment=0, not_entailment=1, num_classes=2)
    binary = dataclasses.replace(model, checkpoint=dataclasses.replace(model.checkpoint, head=head))
    found = binary.entail(LONG, "parcel")
    assert found.entailment == pytest.approx(1 / (1 + np.exp(-1.0)))
    assert binary.rank(LONG, ["parcel"])[0].score == pytest.approx(found.entailment)

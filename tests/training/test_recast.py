from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelwise.errors import DataError
from labelwise.training.recast import pairs_from_pairs, pairs_from_passages, pairs_from_texts
from labelwise.training.records import LabelledText, Pair, Passage
from labelwise.training.sources import Source

NAMES = ("red", "blue", "green", "grey")


def source(**fields) -> Source:
    return Source(**{"path": "texts.jsonl", "kind": "texts", "licence": "MIT", **fields})


def texts(count: int, labels=NAMES) -> list[LabelledText]:
    return [LabelledText(f"text {i}", (labels[i % len(labels)],)) for i in range(count)]


labelled = st.lists(
    st.builds(
        lambda number, labels: LabelledText(f"text {number}", tuple(labels)),
        st.integers(0, 10_000),
        st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True),
    ),
    min_size=1,
    max_size=30,
    unique_by=lambda row: row.text,
)


@settings(max_examples=60, deadline=None)
@given(rows=labelled, negatives=st.sampled_from(["labels", "texts"]), seed=st.integers(0, 99))
def test_every_pair_agrees_with_the_labels_of_its_text(rows, negatives, seed):
    true_labels = {row.text: row.labels for row in rows}
    for pair in pairs_from_texts(rows, source(negatives=negatives), seed=seed):
        assert pair.label == (
            "entailment" if pair.hypothesis in true_labels[pair.premise] else "not_entailment"
        )


@settings(max_examples=30, deadline=None)
@given(rows=labelled, seed=st.integers(0, 99))
def test_the_same_seed_gives_the_same_pairs(rows, seed):
    chosen = source(templates=("{}", "It is {}."), max_rows=7, repeats=2)
    assert pairs_from_texts(rows, chosen, seed=seed) == pairs_from_texts(rows, chosen, seed=seed)


def test_another_seed_draws_other_negatives():
    drawn = {tuple(pairs_from_texts(texts(20), source(negatives_per_text=1), seed=seed)) for seed in range(5)}
    assert len(drawn) == 5


def test_balanced_negatives_are_as_many_as_the_positives_of_each_label():
    pairs = pairs_from_texts(texts(40), source(negatives="texts"), seed=1)
    counts = Counter((pair.hypothesis, pair.label) for pair in pairs)
    assert counts == {(name, label): 10 for name in NAMES for label in ("entailment", "not_entailment")}


def test_a_majority_label_gets_only_the_negatives_that_exist():
    rows = texts(9, ("red", "red", "blue"))
    counts = Counter(
        (pair.hypothesis, pair.label) for pair in pairs_from_texts(rows, source(negatives="texts"), seed=1)
    )
    assert counts["red", "entailment"] == 6
    assert counts["red", "not_entailment"] == 3


def test_caps_hold_per_class_and_per_set():
    per_class = pairs_from_texts(texts(80), source(max_texts_per_class=3, negatives_per_text=0), seed=1)
    assert Counter(pair.hypothesis for pair in per_class) == dict.fromkeys(NAMES, 3)
    per_set = pairs_from_texts(texts(80), source(max_rows=5, negatives_per_text=0), seed=1)
    assert len(per_set) == 5


def test_the_template_of_a_text_is_shared_by_its_true_and_false_labels():
    templates = ("{}", "It is {}.", "About {}")
    used: dict[str, set[str]] = {}
    for pair in pairs_from_texts(texts(30), source(templates=templates), seed=3):
        name = next(name for name in NAMES if name in pair.hypothesis)
        used.setdefault(pair.premise, set()).add(pair.hypothesis.replace(name, "{}"))
    assert all(len(found) == 1 for found in used.values())
    assert set.union(*used.values()) == set(templates)


def test_labels_with_braces_or_percent_signs_are_put_into_the_template_literally():
    rows = [LabelledText("t", ("{0.__class__} 100%",))]
    (pair,) = pairs_from_texts(rows, source(templates=("It is {}.",)), seed=1)
    assert pair.hypothesis == "It is {0.__class__} 100%."


def test_classes_worded_alike_are_never_negatives_of_one_another():
    rows = texts(30, ("good", "very good", "bad"))
    pairs = pairs_from_texts(rows, source(wording={"very good": "good"}), seed=1)
    assert {pair.hypothesis for pair in pairs} == {"good", "bad"}
    assert Counter(pair.label for pair in pairs) == {"entailment": 30, "not_entailment": 30}


def test_excluded_labels_are_neither_positives_nor_negatives():
    pairs = pairs_from_texts(texts(40), source(excluded_labels=("grey",), negatives_per_text=9), seed=1)
    assert {pair.hypothesis for pair in pairs} == {"red", "blue", "green"}
    assert len({pair.premise for pair in pairs}) == 30
    with pytest.raises(DataError, match="excluded_labels"):
        pairs_from_texts(texts(4), source(excluded_labels=NAMES), seed=1)


def test_known_false_labels_are_used_before_the_labels_of_other_texts():
    rows = [LabelledText("a", ("red",), ("rust",)), LabelledText("b", ("blue",), ("navy",))]
    pairs = pairs_from_texts(rows, source(), seed=1)
    assert {(pair.premise, pair.hypothesis) for pair in pairs if pair.label == "not_entailment"} == {
        ("a", "rust"),
        ("b", "navy"),
    }


def test_repeats_draw_anew():
    once, twice = (
        pairs_from_texts(texts(20), source(repeats=n, negatives_per_text=1), seed=1) for n in (1, 2)
    )
    assert len(twice) == 2 * len(once)
    assert twice[: len(once)] != twice[len(once) :]


def test_ready_pairs_are_capped_and_repeated():
    rows = [Pair(f"p{i}", "h", "neutral") for i in range(10)]
    pairs = pairs_from_pairs(rows, source(kind="pairs", max_rows=4, repeats=3), seed=1)
    assert len(pairs) == 12
    assert len(set(pairs)) == 4


def test_each_statement_of_a_passage_becomes_a_pair_of_its_kind():
    pairs = pairs_from_passages([Passage("t", ("e",), ("n",), ("c",))], source(kind="passages"), seed=1)
    assert [(pair.hypothesis, pair.label) for pair in pairs] == [
        ("e", "entailment"),
        ("n", "neutral"),
        ("c", "contradiction"),
    ]


# Texts repeat here, with other labels each time: what is true once is never false.
repeated = st.lists(
    st.builds(
        lambda number, labels: LabelledText(f"text {number}", tuple(labels)),
        st.integers(0, 5),
        st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True),
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=80, deadline=None)
@given(
    rows=repeated,
    negatives=st.sampled_from(["labels", "texts"]),
    hard=st.integers(0, 3),
    seed=st.integers(0, 99),
)
def test_a_label_that_is_true_of_a_text_in_any_row_is_never_false_of_it(rows, negatives, hard, seed):
    chosen = source(
        negatives=negatives, hard_negatives_per_text=hard, similar_labels={}, repeats=2, max_rows=9
    )
    by_label = {"entailment": set(), "not_entailment": set()}
    for pair in pairs_from_texts(rows, chosen, seed=seed):
        by_label[pair.label].add((pair.premise, pair.hypothesis))
    assert not by_label["entailment"] & by_label["not_entailment"]
    true = {(row.text, label) for row in rows for label in row.labels}
    assert not true & by_label["not_entailment"]


@settings(max_examples=60, deadline=None)
@given(rows=labelled, seed=st.integers(0, 99))
def test_every_hypothesis_has_as_many_false_texts_as_true_ones_or_all_that_there_are(rows, seed):
    counts = Counter(
        (pair.hypothesis, pair.label) for pair in pairs_from_texts(rows, source(negatives="texts"), seed=seed)
    )
    for name in {label for row in rows for label in row.labels}:
        num_true = sum(name in row.labels for row in rows)
        assert counts[name, "entailment"] == num_true
        assert counts[name, "not_entailment"] == min(num_true, len(rows) - num_true)


@settings(max_examples=60, deadline=None)
@given(rows=labelled, per_class=st.integers(1, 5), per_set=st.integers(1, 12), seed=st.integers(0, 99))
def test_both_caps_hold_whatever_the_rows(rows, per_class, per_set, seed):
    chosen = source(max_texts_per_class=per_class, max_rows=per_set, negatives="texts")
    premises = {pair.premise for pair in pairs_from_texts(rows, chosen, seed=seed)}
    firsts = Counter(row.labels[0] for row in rows if row.text in premises)
    assert len(premises) <= per_set
    assert all(count <= per_class for count in firsts.values())


ALIKE = ("lost card", "lost phone", "exchange rate", "card arrival")


@pytest.mark.parametrize("negatives", ["labels", "texts"])
def test_hard_negatives_are_the_labels_that_share_words(negatives):
    chosen = source(negatives=negatives, negatives_per_text=0, hard_negatives_per_text=2)
    pairs = pairs_from_texts([LabelledText("t", ("lost card",)), *texts(3, ALIKE[1:])], chosen, seed=1)
    false = {pair.hypothesis for pair in pairs if pair.premise == "t" and pair.label == "not_entailment"}
    assert {"lost phone", "card arrival"} <= false


def test_hard_negatives_can_be_listed_by_label_and_follow_the_wording():
    chosen = source(
        wording={"lost card": "A card is lost.", "exchange rate": "It is about rates."},
        similar_labels={"lost card": ["exchange rate"]},
        negatives_per_text=0,
        hard_negatives_per_text=1,
    )
    pairs = pairs_from_texts(texts(4, ALIKE), chosen, seed=1)
    false = [pair.hypothesis for pair in pairs if pair.premise == "text 0" and pair.label == "not_entailment"]
    assert false == ["It is about rates."]


def test_a_hard_negative_is_not_drawn_a_second_time():
    chosen = source(negatives_per_text=9, hard_negatives_per_text=2)
    pairs = pairs_from_texts(texts(8, ALIKE), chosen, seed=1)
    assert len(pairs) == len(set(pairs)) == 8 * 4

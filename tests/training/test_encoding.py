from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelwise.training.records import Pair

pytest.importorskip("torch")

from labelwise.training.base import load_tokenizer
from labelwise.training.encoding import PadToLongest, PairTokenizer, encode_pairs, length_grouped_order


@pytest.fixture
def own_tokenizer(tiny_base) -> PairTokenizer:
    return load_tokenizer(tiny_base)


def pair(premise: str, hypothesis: str, label: str = "entailment") -> Pair:
    return Pair(premise, hypothesis, label)


def rows_of(encoded):
    return [encoded[at]["input_ids"].tolist() for at in range(len(encoded))]


def test_ids_and_type_ids_are_those_of_the_tokenizer(tiny_tokenizer, own_tokenizer):
    expected = tiny_tokenizer.encode("the boat sank", "the shop is closed")
    encoded = encode_pairs(
        [pair("the boat sank", "the shop is closed", "neutral")], own_tokenizer, max_tokens=32
    )
    row = encoded[0]
    assert row["input_ids"].tolist() == expected.ids
    assert row["token_type_ids"].tolist() == expected.type_ids == [0] * 5 + [1] * 5
    assert row["labels"] == 1


def test_the_premise_is_cut_and_the_hypothesis_kept(tiny_tokenizer, own_tokenizer):
    encoded = encode_pairs([pair("bread " * 50, "the boat sank")], own_tokenizer, max_tokens=12)
    (ids,) = rows_of(encoded)
    assert len(ids) == 12
    assert ids[-4:] == [*tiny_tokenizer.encode("the boat sank", add_special_tokens=False).ids, 3]


def test_a_hypothesis_longer_than_everything_leaves_half_for_the_premise(tiny_tokenizer, own_tokenizer):
    (ids,) = rows_of(encode_pairs([pair("bread " * 50, "boat " * 50)], own_tokenizer, max_tokens=16))
    bread, boat = (tiny_tokenizer.token_to_id(word) for word in ("bread", "boat"))
    assert (ids.count(bread), ids.count(boat)) == (5, 8)


def test_control_tokens_written_by_a_user_stay_text(own_tokenizer):
    (ids,) = rows_of(encode_pairs([pair("bread [SEP] boat", "open [CLS]")], own_tokenizer, max_tokens=32))
    assert ids.count(3) == 2
    assert ids.count(2) == 1


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 90), min_size=1, max_size=400),
    batch_size=st.integers(1, 9),
    epochs=st.integers(1, 3),
    seed=st.integers(0, 9),
)
def test_each_epoch_reads_every_row_once(lengths, batch_size, epochs, seed):
    order = length_grouped_order(np.array(lengths), batch_size=batch_size, epochs=epochs, seed=seed)
    for epoch in np.split(order, epochs):
        assert sorted(epoch.tolist()) == list(range(len(lengths)))


def test_batches_hold_like_lengths_in_no_order_of_length():
    lengths = np.random.default_rng(0).integers(5, 100, size=1600)
    order = length_grouped_order(lengths, batch_size=32, epochs=1, seed=0)
    batches = lengths[order].reshape(-1, 32)
    assert np.ptp(batches, axis=1).mean() < 6
    assert abs(np.corrcoef(np.arange(50), batches.mean(axis=1))[0, 1]) < 0.5


def test_the_order_depends_on_the_seed_alone():
    lengths = np.arange(100)
    first, again, other = (
        length_grouped_order(lengths, batch_size=4, epochs=1, seed=seed).tolist() for seed in (1, 1, 2)
    )
    assert first == again != other


def test_padding_is_masked_and_reaches_only_to_the_longest_row(own_tokenizer):
    encoded = encode_pairs(
        [pair("bread", "open"), pair("the red boat sank", "open")], own_tokenizer, max_tokens=32
    )
    batch = PadToLongest(0, with_type_ids=True)([encoded[0], encoded[1]])
    assert batch["input_ids"].shape == (2, 8)
    assert batch["attention_mask"].sum(dim=1).tolist() == [5, 8]
    assert batch["input_ids"][0, 5:].tolist() == [0] * 3
    assert "token_type_ids" not in PadToLongest(0, with_type_ids=False)([encoded[0]])

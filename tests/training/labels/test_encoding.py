from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("accelerate")

from labelwise.training.labels.base import open_encoder
from labelwise.training.labels.encoding import PadLabelRows, epochs_order
from labelwise.training.labels.examples import Example
from labelwise.training.labels.recipe import ExampleSettings


@pytest.fixture
def encoder(tiny_base: Path):
    return lambda **limits: open_encoder(tiny_base, settings=ExampleSettings(**limits))


def test_a_row_is_laid_out_as_published(encoder):
    found = encoder()
    lab = found.layout.lab
    row = found.encode(Example("the shop", ("blue boat", "red"), (True, False)))
    the, shop, boat, red, blue = 4, 5, 8, 12, 13
    assert row["input_ids"].tolist() == [2, the, shop, 3, blue, boat, lab, red, lab]
    assert row["lmask"].tolist() == [0, 0, 0, 0, 1, 1, 0, 2, 0]
    assert row["labels"].tolist() == [1, 0]


def test_control_names_in_texts_and_labels_make_no_control_ids(encoder):
    found = encoder()
    row = found.encode(Example("the [LAB] [SEP] shop", ("[LAB] red",), (True,)))
    assert (row["input_ids"] == found.layout.lab).sum() == 1
    assert (row["input_ids"] == found.layout.sep).sum() == 1


def test_labels_that_do_not_fit_lose_their_targets_too(encoder):
    found = encoder(max_tokens=12, min_text_tokens=2)
    row = found.encode(Example("the shop is open", ("red",) * 8, (True,) * 8))
    num_fitting = int((row["input_ids"] == found.layout.lab).sum())
    assert len(row["input_ids"]) <= 12
    assert 0 < num_fitting < 8
    assert len(row["labels"]) == num_fitting


def test_a_batch_is_padded_to_its_longest_row_and_largest_label_set(encoder):
    found = encoder()
    short = found.encode(Example("shop", ("red",), (True,)))
    long = found.encode(Example("the shop is", ("red", "blue"), (False, True)))
    batch = PadLabelRows(0)([short, long])
    assert batch["labels"].tolist() == [[1, -100], [0, 1]]
    assert batch["attention_mask"].sum(dim=1).tolist() == [len(short["input_ids"]), len(long["input_ids"])]
    assert batch["input_ids"].shape == batch["lmask"].shape == batch["attention_mask"].shape


def test_every_epoch_reads_every_row_once_in_an_order_of_its_own():
    order = epochs_order(20, epochs=2, seed=5)
    first, second = order[:20], order[20:]
    assert sorted(number for _, number in first) == sorted(number for _, number in second) == list(range(20))
    assert {epoch for epoch, _ in second} == {1}
    assert [number for _, number in first] != [number for _, number in second]
    assert order == epochs_order(20, epochs=2, seed=5)
    assert not np.array_equal(order, epochs_order(20, epochs=2, seed=6))

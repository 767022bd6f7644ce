import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")

from labelwise.errors import DataError
from labelwise.text.isolated_labels import IsolatedLabelsLayout
from labelwise.text.tokenizer import TextTokenizer
from labelwise.training.multitask.label_rows import read_source
from labelwise.training.multitask.label_task import LabelTask, snippet
from labelwise.training.multitask.plan import Step
from labelwise.training.multitask.recipe import LabelSource, MultitaskHyperparameters


@given(text=st.lists(st.integers(1, 9), min_size=1, max_size=40), seed=st.integers(0, 99))
def test_a_snippet_is_whole_sentences_from_within_the_text(text, seed):
    ids = np.array(text)
    found = snippet(ids, np.array([1, 2]), random.Random(seed))
    assert len(found) >= min(4, len(text))
    if len(found) < len(text):
        starts = [at for at in range(len(text)) if text[at : at + len(found)] == found.tolist()]
        assert any(
            (at == 0 or text[at - 1] in (1, 2)) and (at + len(found) == len(text) or found[-1] in (1, 2))
            for at in starts
        )


def test_hypotheses_become_labels_of_their_premise(data_dir):
    found = read_source(LabelSource("pairs.jsonl", "pairs", "own"), data_dir, seed=0)
    assert len(found.rows) == 3
    assert found.rows[0].labels == ("the bread is red",)
    assert found.rows[0].not_labels == ("the bread is blue", "the bread is open")
    assert found.label_set == ()


def test_rows_are_drawn_evenly_over_classes(data_dir, write_rows):
    rows = [{"text": f"text {number}", "label": "often" if number else "rare"} for number in range(50)]
    write_rows("data/skewed.jsonl", rows)
    found = read_source(LabelSource("skewed.jsonl", "texts", "own", max_rows=4), data_dir, seed=0)
    assert sorted(row.labels[0] for row in found.rows) == ["often", "often", "often", "rare"]


def test_only_kept_labels_are_read_and_shown(data_dir):
    source = LabelSource("topics.jsonl.gz", "texts", "own", kept_labels=("bread", "boat"))
    found = read_source(source, data_dir, seed=0)
    assert found.label_set == ("boat", "bread")
    with pytest.raises(DataError, match="has no row left: change kept_labels"):
        read_source(LabelSource("topics.jsonl.gz", "texts", "own", kept_labels=("car",)), data_dir, seed=0)


def test_a_step_gives_the_same_rows_each_time_and_targets_that_belong_to_them(data_dir, tiny_base):
    tokenizer = TextTokenizer.from_folder(tiny_base)
    source = LabelSource("topics.jsonl.gz", "texts", "own", repeats=2, foreign_share=0.0)
    found = read_source(source, data_dir, seed=0)
    task = LabelTask(
        [found], tokenizer, IsolatedLabelsLayout(2, 3, 64), MultitaskHyperparameters(max_text_tokens=16), 7
    )
    assert len(task.lengths) == 24
    step = Step("classify", np.array([0, 5, 11]), 4)
    one, other = task.batch(step), task.batch(step)
    assert all(bool((one[name] == other[name]).all()) for name in one)
    bread = int(tokenizer.encode("bread").ids[0])
    for ids, segments, positions, targets in zip(
        one["input_ids"], one["segment_ids"], one["label_positions"], one["targets"], strict=True
    ):
        text = ids[segments == 0].tolist()
        for number, (position, target) in enumerate(zip(positions, targets, strict=True), start=1):
            if position < 0:
                assert target == -100
                continue
            label = ids[segments == number].tolist()
            assert ids[position] == 3
            assert label[-1] == 3
            if label == [bread, 3]:
                assert bool(target) == (bread in text)

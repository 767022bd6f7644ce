from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from labelwise.training.labels.examples import draw_example, evaluation_example, label_pool
from labelwise.training.labels.recipe import ExampleSettings
from labelwise.training.records import LabelledText

ROW = LabelledText("a boat", labels=("boats", "sea_travel"), not_labels=("bread", "shops"))
POOL = ("boats", "Sea travel", "music", "music", "chess", "law")
SETTINGS = ExampleSettings()


def draw(*, epoch=0, seed=1, number=0, row=ROW, pool=POOL, settings=SETTINGS):
    return draw_example(row, pool, settings=settings, seed=seed, epoch=epoch, number=number)


def test_the_same_seed_epoch_and_row_draw_the_same_example():
    assert draw(epoch=3) == draw(epoch=3)


def test_label_order_changes_from_epoch_to_epoch():
    assert len({draw(epoch=epoch).labels for epoch in range(20)}) > 10


@given(st.integers(0, 10_000), st.integers(0, 6), st.integers(1, 8))
def test_only_the_rows_true_labels_are_ever_true(seed, sampled_negatives, max_labels):
    settings = ExampleSettings(sampled_negatives=sampled_negatives, max_labels=max_labels)
    example = draw(seed=seed, settings=settings)
    assert len(example.labels) == len(example.is_true) <= max_labels
    assert len(set(example.labels)) == len(example.labels)
    for label, is_true in zip(example.labels, example.is_true, strict=True):
        assert is_true == (label.replace("_", " ") in ("boats", "sea travel"))


def test_sampled_negatives_come_from_other_texts_and_never_repeat_the_rows_labels():
    drawn = {label for epoch in range(40) for label in draw(epoch=epoch).labels}
    assert drawn - {"boats", "sea_travel", "sea travel", "bread", "shops"} == {"music", "chess", "law"}


def test_a_pool_of_nothing_but_the_rows_own_labels_adds_none():
    assert len(draw(pool=("boats", "bread")).labels) == 4


def test_underscores_are_replaced_at_the_given_rate_without_changing_what_is_drawn():
    never = ExampleSettings(space_for_underscore=0.0)
    always = ExampleSettings(space_for_underscore=1.0)
    kept, replaced = draw(settings=never), draw(settings=always)
    assert "sea_travel" in kept.labels
    assert replaced.labels == tuple(label.replace("_", " ") for label in kept.labels)


def test_evaluation_keeps_one_order_that_does_not_tell_the_truth():
    example = evaluation_example(ROW, settings=SETTINGS)
    assert example == evaluation_example(ROW, settings=SETTINGS)
    assert example.labels == ("boats", "bread", "sea_travel", "shops")
    assert example.is_true == (True, False, True, False)


def test_frequent_labels_are_more_often_in_the_pool():
    assert label_pool([ROW, ROW]) == ("boats", "sea_travel", "boats", "sea_travel")

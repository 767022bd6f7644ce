import random

from hypothesis import given
from hypothesis import strategies as st

from labelwise.training.multitask.label_draws import draw_labels
from labelwise.training.multitask.label_rows import SourceRows
from labelwise.training.multitask.recipe import LabelSource
from labelwise.training.records import LabelledText

NAMES = tuple(f"name {number}" for number in range(20))


def source(label_set=NAMES, **settings):
    return SourceRows(LabelSource("topics.jsonl", "texts", "own", **settings), (), label_set)


@given(seed=st.integers(0, 300), true=st.sets(st.sampled_from(NAMES), min_size=1, max_size=4))
def test_what_is_true_is_never_shown_as_false(seed, true):
    row = LabelledText("a text", tuple(sorted(true)))
    draw = draw_labels(source(foreign_share=1.0), row, [*NAMES, "stranger"], random.Random(seed))
    assert draw.labels
    assert len(set(draw.labels)) == len(draw.labels) == len(draw.is_true)
    for label, is_true in zip(draw.labels, draw.is_true, strict=True):
        assert is_true == (label in true)


@given(seed=st.integers(0, 100))
def test_the_most_labels_are_kept_to(seed):
    row = LabelledText("a text", ("name 1",))
    draw = draw_labels(source(max_labels=5, foreign_share=0.0), row, [], random.Random(seed))
    assert 1 <= len(draw.labels) <= 5


def test_the_same_state_gives_the_same_draw():
    row = LabelledText("a text", ("name 1",))
    draws = [draw_labels(source(), row, ["stranger"], random.Random(9)) for _ in range(2)]
    assert draws[0] == draws[1]


def test_small_sets_are_mostly_shown_whole_and_some_draws_have_no_true_label():
    row = LabelledText("a text", ("name 1",))
    draws = [
        draw_labels(source(NAMES[:4], foreign_share=0.0), row, [], random.Random(seed)) for seed in range(400)
    ]
    whole = sum(set(draw.labels) == set(NAMES[:4]) for draw in draws)
    without_true = sum(not any(draw.is_true) for draw in draws)
    assert 0.65 < whole / 400 < 0.9
    assert 0.02 < without_true / 400 < 0.09


def test_wordings_and_templates_hold_for_all_labels_of_a_draw():
    wordings = {"name 0": ("zero", "null"), "name 1": ("one", "eins")}
    found = source(
        NAMES[:2], wordings=wordings, templates=("about {}",), template_share=0.5, foreign_share=0.0
    )
    row = LabelledText("a text", ("name 1",))
    allowed = [("name 0", "name 1"), ("zero", "one"), ("null", "eins")]
    allowed += [tuple(f"about {word}" for word in pair) for pair in allowed]
    seen = set()
    for seed in range(200):
        draw = draw_labels(found, row, [], random.Random(seed))
        assert any(set(draw.labels) <= set(pair) for pair in allowed)
        seen.update(pair for pair in allowed if set(draw.labels) == set(pair))
    assert seen == set(allowed)


def test_a_rows_own_false_labels_are_used_where_there_is_no_closed_set():
    row = LabelledText("a text", ("true",), ("false", "also false"))
    draw = draw_labels(source((), foreign_share=0.0), row, [], random.Random(1))
    assert set(draw.labels) == {"true", "false", "also false"}

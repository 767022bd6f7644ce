from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelwise.distillation.layer_maps import check_kept_layers, is_listed, kept_layers
from labelwise.errors import InputError


@st.composite
def depths(draw):
    teacher = draw(st.integers(1, 64))
    return teacher, draw(st.integers(1, teacher))


@given(depths())
def test_the_first_layer_is_kept_and_the_rest_go_up_to_the_right_number(pair):
    teacher, student = pair
    layers = kept_layers(teacher, student)
    assert layers[0] == 0
    assert len(layers) == student
    assert all(left < right for left, right in pairwise(layers))
    assert layers[-1] < teacher
    assert check_kept_layers(layers, teacher_depth=teacher) == layers


@given(depths())
def test_unlisted_depths_keep_the_last_layer_too(pair):
    teacher, student = pair
    if student > 1 and not is_listed(teacher, student):
        assert kept_layers(teacher, student)[-1] == teacher - 1


@pytest.mark.parametrize(
    ("teacher", "student", "layers"),
    [
        (12, 1, (0,)),
        (12, 2, (0, 6)),
        (12, 3, (0, 6, 11)),
        (12, 4, (0, 4, 8, 11)),
        (12, 6, (0, 2, 4, 7, 9, 11)),
        (12, 9, (0, 1, 2, 4, 5, 7, 9, 10, 11)),
        (12, 12, tuple(range(12))),
        (16, 2, (0, 15)),
        (16, 12, (0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 15)),
        (6, 3, (0, 2, 5)),
        (6, 4, (0, 1, 3, 5)),
    ],
)
def test_listed_depths_follow_the_published_tables(teacher, student, layers):
    assert is_listed(teacher, student)
    assert kept_layers(teacher, student) == layers


def test_an_unlisted_depth_is_spread_evenly():
    assert not is_listed(24, 6)
    assert kept_layers(24, 6) == (0, 5, 9, 14, 18, 23)


@pytest.mark.parametrize("student", [0, -1, 13])
def test_a_student_deeper_than_its_teacher_or_empty_is_refused(student):
    with pytest.raises(InputError, match="teacher of 12"):
        kept_layers(12, student)


@pytest.mark.parametrize("layers", [(), (1, 2), (0, 0), (0, 4, 3), (0, 12)])
def test_layers_that_cannot_be_copied_are_refused(layers):
    with pytest.raises(InputError, match="start with 0"):
        check_kept_layers(layers, teacher_depth=12)

"""Which of a teacher's layers a shallower student keeps.

The tables are those of No Teacher Distillation (patil-suraj/distillbart-mnli and its source, Shleifer's
make_student.py in transformers' seq2seq-distillation).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from labelwise.errors import InputError

__all__ = ["check_kept_layers", "is_listed", "kept_layers"]

# fmt: off
_TABLES: dict[int, dict[int, tuple[int, ...]]] = {
    12: {
        1: (0,),
        2: (0, 6),
        3: (0, 6, 11),
        4: (0, 4, 8, 11),
        6: (0, 2, 4, 7, 9, 11),
        9: (0, 1, 2, 4, 5, 7, 9, 10, 11),
    },
    16: {
        1: (0,),
        2: (0, 15),
        3: (0, 8, 15),
        4: (0, 5, 10, 15),
        6: (0, 3, 6, 9, 12, 15),
        8: (0, 2, 4, 6, 8, 10, 12, 15),
        9: (0, 1, 3, 5, 7, 9, 11, 13, 15),
        12: (0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 15),
    },
    6: {
        1: (0,),
        2: (0, 5),
        3: (0, 2, 5),
        4: (0, 1, 3, 5),
    },
}
# fmt: on


def is_listed(teacher_depth: int, student_depth: int) -> bool:
    """Tell whether the published tables name the kept layers (the whole depth counts as listed)."""
    return student_depth == teacher_depth or student_depth in _TABLES.get(teacher_depth, {})


def kept_layers(teacher_depth: int, student_depth: int) -> tuple[int, ...]:
    """Return the teacher's layers that the student keeps, as increasing indices from 0.

    Depths that the tables do not list are spread evenly from the first layer to the last.

    Raises:
        InputError: the student has no layer, or more than the teacher.

    >>> kept_layers(12, 4)
    (0, 4, 8, 11)
    """
    if not 1 <= student_depth <= teacher_depth:
        raise InputError(
            f"a student of {student_depth} layers cannot be copied from a teacher of {teacher_depth}: "
            f"choose 1 to {teacher_depth}"
        )
    listed = _TABLES.get(teacher_depth, {}).get(student_depth)
    if listed is not None:
        return listed
    if student_depth == 1:
        return (0,)
    last, gaps = teacher_depth - 1, student_depth - 1
    return tuple((2 * step * last + gaps) // (2 * gaps) for step in range(student_depth))


def check_kept_layers(indices: Sequence[int], *, teacher_depth: int) -> tuple[int, ...]:
    """Return layers that the user chose, once they can be copied.

    Raises:
        InputError: they are none, do not begin with layer 0 (it alone was trained to read the embeddings),
            do not increase, or reach past the teacher's last layer.
    """
    chosen = tuple(indices)
    is_increasing = all(left < right for left, right in pairwise(chosen))
    if not chosen or chosen[0] != 0 or not is_increasing or chosen[-1] >= teacher_depth:
        shown = ",".join(map(str, chosen)) or "nothing"
        raise InputError(
            f"kept layers {shown} cannot be copied: start with 0, go up, and stay below {teacher_depth}"
        )
    return chosen

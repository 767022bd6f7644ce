from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from labelwise.models.gathering import gather_marked

MARKS = st.integers(1, 4).flatmap(
    lambda tokens: st.lists(st.lists(st.booleans(), min_size=tokens, max_size=tokens), min_size=1, max_size=4)
)


@given(MARKS)
def test_every_marked_state_is_gathered_in_order_and_nothing_else(marks):
    marked = torch.tensor(marks)
    states = torch.arange(1.0, marked.numel() * 2 + 1).view(*marked.shape, 2)
    gathered, present = gather_marked(states, marked)
    assert gathered.shape == (len(marks), max(sum(row) for row in marks), 2)
    for row, row_marks in enumerate(marks):
        expected = [states[row, place].tolist() for place, is_marked in enumerate(row_marks) if is_marked]
        assert gathered[row, present[row]].tolist() == expected
        assert present[row].tolist() == sorted(present[row].tolist(), reverse=True)
        assert not gathered[row, ~present[row]].any()


def test_gradients_go_back_to_the_marked_places_only():
    states = torch.ones(1, 3, 2, requires_grad=True)
    gather_marked(states, torch.tensor([[True, False, True]]))[0].sum().backward()
    assert states.grad.tolist() == [[[1.0, 1.0], [0.0, 0.0], [1.0, 1.0]]]

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from labelwise.training.multitask.plan import plan_steps, task_order

SHARES = {"classify": 0.5, "entail": 0.2, "answer": 0.3}


@given(seed=st.integers(0, 50), num_steps=st.integers(1, 400))
def test_every_stretch_of_a_run_has_the_tasks_shares(seed, num_steps):
    order = task_order(num_steps, SHARES, seed=seed)
    assert len(order) == num_steps
    for task, share in SHARES.items():
        assert abs(order.count(task) - share * num_steps) <= 2
        assert abs(order[: num_steps // 2].count(task) - share * (num_steps // 2)) <= 2


@given(rows=st.integers(3, 60), batch_size=st.integers(1, 5), seed=st.integers(0, 20))
def test_no_row_comes_up_twice_before_all_came_up_once(rows, batch_size, seed):
    lengths = {"classify": np.arange(rows) % 7 + 1}
    num_steps = max(1, rows // batch_size)
    steps = plan_steps(
        lengths,
        num_steps=num_steps,
        shares={"classify": 1.0},
        batch_sizes={"classify": batch_size},
        seed=seed,
    )
    assert [len(step.rows) for step in steps] == [batch_size] * num_steps
    counts = Counter(np.concatenate([step.rows for step in steps]).tolist())
    # What is left over from one round is grouped with the first rows of the next.
    assert max(counts.values()) - min(counts[row] for row in range(rows)) <= 2


def test_a_longer_run_begins_with_the_steps_of_a_shorter_one():
    lengths = {task: np.arange(200) % 30 for task in SHARES}
    sizes = dict.fromkeys(SHARES, 4)
    short, long = (
        plan_steps(lengths, num_steps=number, shares=SHARES, batch_sizes=sizes, seed=5) for number in (30, 90)
    )
    for one, other in zip(short, long, strict=False):
        assert (one.task, one.number) == (other.task, other.number)
        assert one.rows.tolist() == other.rows.tolist()


def test_rows_of_a_step_have_like_lengths():
    lengths = {"entail": np.random.default_rng(0).integers(1, 500, size=2000)}
    steps = plan_steps(lengths, num_steps=100, shares={"entail": 1.0}, batch_sizes={"entail": 10}, seed=0)
    spread = [np.ptp(lengths["entail"][step.rows]) for step in steps]
    assert np.median(spread) < 30

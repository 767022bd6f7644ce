"""Which rows each step of a run reads: laid out beforehand, so that a resumed run reads the same."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Step", "plan_steps", "task_batches", "task_order"]

_GROUPED_BATCHES = 40


@dataclass(frozen=True, slots=True)
class Step:
    """One step: a task, the places of its rows, and the number that its draws depend on."""

    task: str
    rows: NDArray[np.int64]
    number: int


def plan_steps(
    lengths: Mapping[str, NDArray[np.int64]],
    *,
    num_steps: int,
    shares: Mapping[str, float],
    batch_sizes: Mapping[str, int],
    seed: int,
) -> list[Step]:
    """Lay out a run: tasks by their shares, rows shuffled anew each round and grouped by length.

    Args:
        lengths: task to the tokens of each of its rows.
        num_steps: of the run.
        shares: task to its share of the steps; they need not sum to 1.
        batch_sizes: task to the rows of a step.
        seed: of the order.

    Example:
        >>> lengths = {"entail": np.array([5, 9, 7, 6])}
        >>> steps = plan_steps(lengths, num_steps=3, shares={"entail": 1}, batch_sizes={"entail": 2}, seed=0)
        >>> sorted(np.concatenate([step.rows for step in steps[:2]]).tolist())
        [0, 1, 2, 3]
    """
    order = task_order(num_steps, shares, seed=seed)
    batches = {
        task: iter(task_batches(task, rows, order.count(task), batch_size=batch_sizes[task], seed=seed))
        for task, rows in lengths.items()
    }
    return [Step(task, next(batches[task]), number) for number, task in enumerate(order)]


def task_order(num_steps: int, shares: Mapping[str, float], *, seed: int) -> list[str]:
    """Return the task of each step; every stretch of a run has nearly the tasks' shares."""
    total = sum(shares.values())
    generator = random.Random(f"tasks:{seed}")
    owed = {task: generator.random() * share / total for task, share in shares.items()}
    order = []
    for _ in range(num_steps):
        for task, share in shares.items():
            owed[task] += share / total
        chosen = max(owed, key=owed.__getitem__)
        owed[chosen] -= 1.0
        order.append(chosen)
    return order


def task_batches(
    task: str, lengths: NDArray[np.int64], num_batches: int, *, batch_size: int, seed: int
) -> Sequence[NDArray[np.int64]]:
    """Return the rows of a task's steps in order: shuffled anew each round, grouped by length."""
    generator = random.Random(f"{seed}:{task}")
    found: list[NDArray[np.int64]] = []
    waiting: list[int] = []
    # A group never holds a row twice, or a batch could be of one row alone.
    whole_round = max(1, len(lengths) // batch_size)
    group_size = min(_GROUPED_BATCHES, whole_round) * batch_size
    while len(found) < num_batches:
        while len(waiting) < group_size:
            waiting += generator.sample(range(len(lengths)), len(lengths))
        group = sorted(waiting[:group_size], key=lambda row: int(lengths[row]))
        waiting = waiting[group_size:]
        batches = [group[at : at + batch_size] for at in range(0, group_size, batch_size)]
        generator.shuffle(batches)
        found += [np.array(batch, dtype=np.int64) for batch in batches]
    return found[:num_batches]

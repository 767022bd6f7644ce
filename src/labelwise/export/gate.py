"""The gate: a file is an export only when its logits are those of the float32 torch model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from labelwise.backends.base import Backend
from labelwise.errors import BackendError
from labelwise.export.gate_rows import GateRows, Head
from labelwise.export.request import Precision

__all__ = [
    "FEWEST_INPUTS",
    "LARGEST_ACCURACY_DROP",
    "LARGEST_DIFFERENCE",
    "LEAST_AGREEMENT",
    "GateFigures",
    "HeadFigures",
    "Outputs",
    "compare",
    "describe_lengths",
    "run_all",
    "shortcoming",
]

FEWEST_INPUTS: Final = 1000
LARGEST_DIFFERENCE: Final = 1e-4  # float32
LEAST_AGREEMENT: Final = 0.99  # everything else
LARGEST_ACCURACY_DROP: Final = 0.005

Outputs = list[tuple[NDArray[np.float32], ...]]
OnBatch = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class HeadFigures:
    """What was measured of one head.

    Attributes:
        name: "labels", "entailment" or "answers".
        largest_difference: between two logits of the head, on all rows.
        num_decisions: on the rows that are for the head and leave a choice; a reader decides twice a row.
        agreement: share of these decisions that are the same; 1 where there are none.
    """

    name: Head
    largest_difference: float
    num_decisions: int
    agreement: float


@dataclass(frozen=True, slots=True)
class GateFigures:
    """What was measured.

    Attributes:
        num_inputs: rows that were run.
        longest_tokens: tokens of the longest.
        largest_difference: between two logits.
        mean_difference: of all logits.
        agreement: share of decisions, the largest logit of a row and output, that are the same; a model of
            several heads gives all outputs for every row, and only those that the row is for are counted.
        agreement_by_length: that share for rows up to 64, 256 and more tokens; None where there are none.
        by_head: the same of each head.
        accuracy: on labelled data; None where none was given.
        accuracy_float32: that of the float32 torch model.
    """

    num_inputs: int
    longest_tokens: int
    largest_difference: float
    mean_difference: float
    agreement: float
    agreement_by_length: tuple[float | None, ...] = ()
    by_head: tuple[HeadFigures, ...] = ()
    accuracy: float | None = None
    accuracy_float32: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the figures for JSON."""
        return asdict(self)


_LENGTH_BOUNDS: Final = (64, 256)


def run_all(backend: Backend, rows: GateRows, *, on_batch: OnBatch | None = None) -> Outputs:
    """Run every batch.

    Raises:
        BackendError: the runtime failed, or a logit is not finite.
    """
    outputs, done = [], 0
    for batch in rows.batches:
        outputs.append(backend.run(batch))
        done += len(batch)
        if on_batch is not None:
            on_batch(done, rows.num_inputs)
    return outputs


def compare(rows: GateRows, original: Outputs, exported: Outputs) -> GateFigures:
    """Compare an export's outputs with the torch model's, batch by batch."""
    by_head = {head: _Tally(head) for head in rows.heads}
    batches = zip(rows.batches, rows.readers, original, exported, strict=True)
    for batch, readers, theirs, ours in batches:
        lengths = np.array([len(row) for row in batch], dtype=np.int64)
        for head, expected, got in zip(rows.heads, theirs, ours, strict=True):
            by_head[head].add(expected, got, lengths, np.array([reader == head for reader in readers]))
    tallies = list(by_head.values())
    same = np.concatenate([tally.decisions for tally in tallies])
    tokens = np.concatenate([tally.lengths for tally in tallies])
    num_logits = sum(tally.num_logits for tally in tallies)
    return GateFigures(
        num_inputs=rows.num_inputs,
        longest_tokens=rows.longest_tokens,
        largest_difference=max(tally.largest for tally in tallies),
        mean_difference=sum(tally.total for tally in tallies) / max(num_logits, 1),
        agreement=float(same.mean()) if same.size else 1.0,
        agreement_by_length=_by_length(same, tokens),
        by_head=tuple(tally.figures() for tally in tallies),
    )


class _Tally:
    """Adds up one head's differences and decisions."""

    def __init__(self, head: Head) -> None:
        self._head = head
        self._decisions: list[NDArray[np.bool_]] = []
        self._lengths: list[NDArray[np.int64]] = []
        self.largest, self.total, self.num_logits = 0.0, 0.0, 0

    def add(
        self,
        expected: NDArray[np.float32],
        got: NDArray[np.float32],
        lengths: NDArray[np.int64],
        is_for_head: NDArray[np.bool_],
    ) -> None:
        """Count one output of one batch."""
        _refuse_other_shape(expected, got)
        is_real = np.isfinite(expected)
        if not is_real.any():
            return
        differences = np.abs(expected[is_real] - got[is_real]).astype(np.float64)
        self.largest = max(self.largest, float(differences.max()))
        self.total += float(differences.sum())
        self.num_logits += differences.size
        has_choice = (is_real.sum(axis=-1) > 1) & is_for_head
        self._decisions.append((expected.argmax(axis=-1) == got.argmax(axis=-1))[has_choice])
        self._lengths.append(lengths[has_choice])

    @property
    def decisions(self) -> NDArray[np.bool_]:
        """Whether each decision is the same."""
        return np.concatenate([np.zeros(0, dtype=np.bool_), *self._decisions])

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How many tokens the row of each decision has."""
        return np.concatenate([np.zeros(0, dtype=np.int64), *self._lengths])

    def figures(self) -> HeadFigures:
        """Return what was counted."""
        same = self.decisions
        return HeadFigures(self._head, self.largest, same.size, float(same.mean()) if same.size else 1.0)


def _refuse_other_shape(expected: NDArray[np.float32], got: NDArray[np.float32]) -> None:
    if expected.shape != got.shape:
        raise BackendError(f"the export gives {got.shape} numbers where torch gives {expected.shape}")


def _by_length(decisions: NDArray[np.bool_], tokens: NDArray[np.int64]) -> tuple[float | None, ...]:
    places = np.searchsorted(_LENGTH_BOUNDS, tokens, side="left")
    groups = (decisions[places == place] for place in range(len(_LENGTH_BOUNDS) + 1))
    return tuple(float(group.mean()) if group.size else None for group in groups)


def shortcoming(figures: GateFigures, precision: Precision) -> str | None:
    """Say in what a file fails the gate; None when it passes."""
    if precision == "fp32" and not figures.largest_difference <= LARGEST_DIFFERENCE:
        return f"a logit differs by {figures.largest_difference:.1e} (at most {LARGEST_DIFFERENCE:.0e})"
    if not figures.agreement >= LEAST_AGREEMENT:
        return _too_rarely(figures.agreement, "decisions")
    worst = min(figures.by_head, key=lambda head: head.agreement, default=None)
    if worst is not None and not worst.agreement >= LEAST_AGREEMENT:
        return _too_rarely(worst.agreement, f"decisions on {worst.name}")
    if figures.accuracy is None or figures.accuracy_float32 is None:
        return None
    drop = figures.accuracy_float32 - figures.accuracy
    if drop > LARGEST_ACCURACY_DROP:
        return f"accuracy drops by {100 * drop:.2f} points (at most {100 * LARGEST_ACCURACY_DROP})"
    return None


def _too_rarely(agreement: float, what: str) -> str:
    return (
        f"it agrees with float32 on {100 * agreement:.2f} % of {what} (at least {100 * LEAST_AGREEMENT:g} %)"
    )


def describe_lengths(figures: GateFigures) -> Sequence[str]:
    """Name the groups of lengths with their agreement."""
    names = (f"to {_LENGTH_BOUNDS[0]} tokens", f"to {_LENGTH_BOUNDS[1]}", f"beyond {_LENGTH_BOUNDS[1]}")
    return [
        f"{name}: {100 * share:.1f} %"
        for name, share in zip(names, figures.agreement_by_length, strict=False)
        if share is not None
    ]

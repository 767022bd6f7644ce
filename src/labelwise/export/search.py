"""Which parts of a model a precision hurts, and the fewest that must stay in float32."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from labelwise.errors import BackendError
from labelwise.export.gate import GateFigures

__all__ = ["Harm", "fewest_kept", "measure_harm"]

Try = Callable[[frozenset[str]], GateFigures]
OnStep = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Harm:
    """What a precision does to the logits when one part alone has it."""

    part: str
    mean_difference: float
    agreement: float


def measure_harm(parts: Sequence[str], try_kept: Try, *, on_step: OnStep | None = None) -> list[Harm]:
    """Switch one part at a time to the reduced precision, and sort by what it does, the worst first.

    Args:
        parts: all that can be switched.
        try_kept: measures with these parts in float32; raises BackendError where numbers overflow.
        on_step: told how many parts are done, and of how many.
    """
    found = []
    for number, part in enumerate(parts, start=1):
        try:
            figures = try_kept(frozenset(parts) - {part})
            found.append(Harm(part, figures.mean_difference, figures.agreement))
        except BackendError:
            found.append(Harm(part, float("inf"), 0.0))
        if on_step is not None:
            on_step(number, len(parts))
    return sorted(found, key=lambda harm: (-harm.mean_difference, harm.part))


def fewest_kept(ranked: Sequence[Harm], passes: Callable[[frozenset[str]], bool]) -> frozenset[str] | None:
    """Keep the worst parts, as few as the gate allows; None when nothing short of all passes.

    The number is found by doubling and then halving the gap, as if more kept parts never made it worse.
    """
    names = [harm.part for harm in ranked]
    failing, passing = 0, None
    number = 1
    while passing is None and failing < len(names) - 1:
        number = min(number, len(names) - 1)
        if passes(frozenset(names[:number])):
            passing = number
        else:
            failing, number = number, 2 * number
    if passing is None:
        return None
    while passing - failing > 1:
        middle = (passing + failing) // 2
        if passes(frozenset(names[:middle])):
            passing = middle
        else:
            failing = middle
    return frozenset(names[:passing])

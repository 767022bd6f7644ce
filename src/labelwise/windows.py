"""Overlapping windows over a token sequence: pure arithmetic, no token is left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from labelwise.errors import InputError, TextTooLongError

__all__ = ["Reading", "Truncation", "Window", "plan_reading", "plan_windows"]


@dataclass(frozen=True, slots=True)
class Window:
    """Tokens ``start`` (inclusive) to ``end`` (exclusive) of a text; an empty text has one empty window."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"window must run forwards, got [{self.start}, {self.end})")

    def __len__(self) -> int:
        return self.end - self.start


def plan_windows(num_tokens: int, *, room: int, overlap: int) -> tuple[Window, ...]:
    """Cover ``num_tokens`` tokens with windows of at most ``room`` tokens.

    Neighbours share ``overlap`` tokens; the last window is moved back so that it is full, since a
    short tail alone says little. Overlap means shared tokens, as in the tokenizer's ``stride``
    of the SQuAD recipe, so a window advances by ``room - overlap``.

    >>> [(w.start, w.end) for w in plan_windows(10, room=4, overlap=1)]
    [(0, 4), (3, 7), (6, 10)]
    """
    if room < 1:
        raise InputError(f"a window must have room for at least 1 token, got {room}")
    if not 0 <= overlap < room:
        raise InputError(
            f"overlap must be at least 0 and less than the window's {room} tokens, got {overlap}"
        )
    if num_tokens <= room:
        return (Window(0, num_tokens),)
    advance = room - overlap
    starts = list(range(0, num_tokens - room, advance))
    starts.append(num_tokens - room)
    return tuple(Window(start, start + room) for start in starts)


Truncation = Literal["window", "truncate", "error"]


@dataclass(frozen=True, slots=True)
class Reading:
    """How one text is read: its windows, and whether a part of it is left out."""

    windows: tuple[Window, ...]
    was_truncated: bool = False


def plan_reading(num_tokens: int, *, room: int, truncation: Truncation, name: str) -> Reading:
    """Apply a truncation policy: read in windows, cut and say so, or refuse.

    Windows overlap by a quarter of their room, at most 128 tokens.

    Raises:
        TextTooLongError: the text does not fit and ``truncation`` is "error".
        InputError: there is no such policy.
    """
    if truncation not in get_args(Truncation):
        raise InputError(f"truncation {truncation!r} is not one of {', '.join(get_args(Truncation))}")
    if num_tokens <= room:
        return Reading((Window(0, num_tokens),))
    if truncation == "error":
        raise TextTooLongError(
            f"{name} has {num_tokens} tokens and only {room} fit; use truncation='window' to read it in parts"
        )
    if truncation == "truncate":
        return Reading((Window(0, room),), was_truncated=True)
    return Reading(plan_windows(num_tokens, room=room, overlap=min(room // 4, 128)))

"""Results on stdout: JSON lines for machines, a small table for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import typer

__all__ = ["print_json", "print_rows", "shorten"]


class _HasDict(Protocol):
    def to_dict(self) -> dict[str, Any]: ...


def print_json(results: Iterable[_HasDict]) -> None:
    """Print one object per line, as UTF-8 whatever the terminal says."""
    for result in results:
        line = json.dumps(result.to_dict(), ensure_ascii=False) + "\n"
        sys.stdout.buffer.write(line.encode("utf-8", "surrogatepass"))
        sys.stdout.buffer.flush()


def print_rows(rows: Sequence[tuple[str, float, str]], *, title: str = "", note: str = "") -> None:
    """Print a title, then (name, score, mark) rows with a bar each.

    >>> print_rows([("billing", 0.75, "*")])
      billing  0.750  ########################          *
    """
    if title:
        typer.echo(shorten(title, 100))
    width = min(max((len(name) for name, _, _ in rows), default=0), 48)
    for name, score, mark in rows:
        bar = "#" * round(score * 32)
        typer.echo(f"  {shorten(name, width):<{width}}  {score:.3f}  {bar:<32}  {mark}".rstrip())
    if note:
        typer.echo(f"  ({note})")


def shorten(text: str, width: int) -> str:
    """Return the text on one line of at most ``width`` characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= width else flat[: max(width - 3, 0)] + "..."

"""Topics and passages that a user brings along."""

from __future__ import annotations

import json
from pathlib import Path

from labelwise.errors import DataError, InputError

__all__ = ["read_passages", "read_topics"]


def read_topics(path: Path) -> tuple[str, ...]:
    """Read one topic a line; blank lines and repeated ones are left out.

    Raises:
        InputError: the file cannot be read or holds no topic.
    """
    topics = tuple(dict.fromkeys(" ".join(line.split()) for line in _lines(path)))
    if not topics:
        raise InputError(f"{path} holds no topic: write one a line")
    return topics


def read_passages(path: Path) -> tuple[str, ...]:
    """Read one passage a line, or from ``.jsonl`` the field ``text`` of every line.

    Raises:
        InputError: the file cannot be read or holds no passage.
        DataError: a line is no JSON object with a text.
    """
    lines = _lines(path)
    passages = tuple(dict.fromkeys(_json_texts(path, lines) if path.suffix == ".jsonl" else lines))
    if not passages:
        raise InputError(f"{path} holds no passage: write one a line")
    return passages


def _lines(path: Path) -> list[str]:
    try:
        # Not str.splitlines: a passage may hold a Unicode line separator.
        return [line.strip() for line in path.read_text(encoding="utf-8-sig").split("\n") if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InputError(f"cannot read {path}: {reason}") from error


def _json_texts(path: Path, lines: list[str]) -> list[str]:
    texts = []
    for number, line in enumerate(lines, start=1):
        try:
            text = json.loads(line)["text"]
            if not isinstance(text, str):
                raise TypeError
        except (ValueError, LookupError, TypeError):
            raise DataError(f'{path}: filled line {number} is no JSON object with a string "text"') from None
        texts.append(text)
    return texts

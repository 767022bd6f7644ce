"""The small file beside an output that says which bundles are done and how long the output was then."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from labelwise.errors import DataError, InputError
from labelwise.synthesis.append_file import AppendFile

__all__ = ["PendingMerge", "State", "StateFile", "require_same_plan"]

_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class PendingMerge:
    """Labels of a second copy of a text, to be joined into the row that is in the output."""

    text: str
    labels: tuple[str, ...]
    not_labels: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the merge as JSON keeps it; `text` is a digest, not the text."""
        return {"text": self.text, "labels": list(self.labels), "not_labels": list(self.not_labels)}


@dataclass(slots=True)
class State:
    """What a run needs to go on.

    Attributes:
        plan: the settings that say what each bundle is, by name.
        output_bytes: length of the output with everything that is done, and nothing else.
        finished: numbers of the bundles that need not be asked for again.
        pending_merges: merges that are not in the output yet.
        is_rewritten: whether the last thing was a rewriting of the output whose renaming may be missing.
    """

    plan: Mapping[str, str]
    output_bytes: int = 0
    finished: set[int] = field(default_factory=set)
    pending_merges: list[PendingMerge] = field(default_factory=list)
    is_rewritten: bool = False

    def apply(self, entry: Mapping[str, Any]) -> None:
        """Take in one line of the file."""
        self.output_bytes = int(entry["output_bytes"])
        self.is_rewritten = bool(entry.get("rewritten"))
        if self.is_rewritten:
            self.pending_merges = []
            return
        self.finished.add(int(entry["bundle"]))
        self.pending_merges.extend(
            PendingMerge(str(merge["text"]), tuple(merge["labels"]), tuple(merge["not_labels"]))
            for merge in entry.get("merges", [])
        )


class StateFile:
    """The file, held by one run at a time.

    Attributes:
        state: what it says, or None when it is new or empty, or shall be forgotten.
    """

    def __init__(self, path: Path, *, forget: bool = False) -> None:
        self._file = AppendFile(path, lock=True)
        try:
            self.state = None if forget else self._load()
        except BaseException:
            self._file.close()
            raise

    def start(self, plan: Mapping[str, str]) -> None:
        """Forget everything and begin a new run."""
        self._file.cut_to(0)
        self._write({"version": _VERSION, "plan": dict(plan)})
        self.state = State(plan)

    def add(self, entry: Mapping[str, Any]) -> None:
        """Write down what has happened to the output."""
        assert self.state is not None
        self._write(entry)
        self.state.apply(entry)

    def close(self) -> None:
        """Close it and let another run have it."""
        self._file.close()

    def _write(self, entry: Mapping[str, Any]) -> None:
        self._file.append((json.dumps(entry, ensure_ascii=False) + "\n").encode())

    def _load(self) -> State | None:
        data = self._file.read()
        # Only the last line can be torn: every other one was on the disk before the next was begun.
        whole = data[: data.rfind(b"\n") + 1]
        self._file.cut_to(len(whole))
        if not whole:
            return None
        try:
            header, *entries = [json.loads(line) for line in whole.splitlines()]
            if header["version"] != _VERSION:
                raise ValueError("another version")
            state = State({str(name): str(value) for name, value in header["plan"].items()})
            for entry in entries:
                state.apply(entry)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{self._file.path} cannot be used ({error}): overwrite to start anew") from error
        return state


def require_same_plan(found: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    """Refuse to go on with a plan in which a number means another bundle.

    Raises:
        InputError: naming what differs.
    """
    differing = [
        f"{name} was {found.get(name)!r:.80}, is {wanted.get(name)!r:.80}"
        for name in {**found, **wanted}
        if found.get(name) != wanted.get(name)
    ]
    if differing:
        raise InputError(f"cannot resume: {'; '.join(differing)}: use the old settings, or overwrite")

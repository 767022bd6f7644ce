"""The rows on disk: bundles are added whole, repeated texts merged, and a kill loses nothing added."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from labelwise.errors import DataError, InputError
from labelwise.synthesis.append_file import AppendFile, sync_folder
from labelwise.synthesis.rows import SyntheticRow, merged, text_key
from labelwise.synthesis.state import PendingMerge, State, StateFile, require_same_plan

__all__ = ["Added", "SynthesisOutput"]

_SUFFIX: Final = ".jsonl"
_ROWS_AT_A_TIME: Final = 1_000
_DIGEST_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Added:
    """What became of the rows of a bundle."""

    num_written: int
    num_merged: int


class SynthesisOutput:
    """An output file and the state beside it.

    A bundle is first appended to the output, then to the state: what the state does not know of is cut off by
    the next run. Labels of a repeated text wait in the state until ``apply_merges`` rewrites the output, so
    no text is ever in it twice.

    Args:
        path: a ``.jsonl`` file.
        plan: the settings that say what each bundle is, by name.
        resume: go on where an earlier run of the same plan stopped; starts anew where there is none.
        overwrite: start anew whatever is there.

    Raises:
        InputError: the output cannot be used this way; nothing was changed.
        DataError: the output or its state was damaged.
    """

    def __init__(self, path: Path, *, plan: Mapping[str, str], resume: bool, overwrite: bool) -> None:
        self.path = path
        self._state_path = path.with_name(path.name + ".state")
        self._new_path = path.with_name(path.name + ".new")
        _check(path, self._state_path, resume=resume, overwrite=overwrite)
        self._state_file = StateFile(self._state_path, forget=overwrite)
        try:
            self._state = self._recovered(plan)
            self._file = AppendFile(path, length=self._state.output_bytes)
        except BaseException:
            self._state_file.close()
            raise
        try:
            self._texts = {_digest(row.text) for row in _rows(path)}
        except BaseException:
            self.close()
            raise

    def has(self, bundle: int) -> bool:
        """Whether a bundle need not be asked for again."""
        return bundle in self._state.finished

    @property
    def num_rows(self) -> int:
        """Rows in the output."""
        return len(self._texts)

    def add(self, bundle: int, outcome: str, rows: Sequence[SyntheticRow] = ()) -> Added:
        """Add a finished bundle, with its rows or with none.

        Raises:
            DataError: the disk is full or failing; what was added before is safe.
        """
        digests = [_digest(row.text) for row in rows]
        new = {digest: row for digest, row in zip(digests, rows, strict=True) if digest not in self._texts}
        merges = [
            PendingMerge(digest, row.labels, row.not_labels)
            for digest, row in zip(digests, rows, strict=True)
            if digest in self._texts
        ]
        if new:
            self._file.append("".join(map(_line, new.values())).encode())
        entry: dict[str, Any] = {"bundle": bundle, "outcome": outcome, "output_bytes": self._file.length}
        if merges:
            entry["merges"] = [merge.to_dict() for merge in merges]
        self._state_file.add(entry)
        self._texts.update(new)
        return Added(len(new), len(merges))

    def apply_merges(self) -> None:
        """Write the labels of repeated texts into their rows."""
        if not self._state.pending_merges:
            return
        pending: defaultdict[str, list[PendingMerge]] = defaultdict(list)
        for merge in self._state.pending_merges:
            pending[merge.text].append(merge)
        self._new_path.unlink(missing_ok=True)
        rewritten = AppendFile(self._new_path)
        try:
            rows = (_merged(row, pending) for row in _rows(self.path))
            while some := "".join(map(_line, itertools.islice(rows, _ROWS_AT_A_TIME))):
                rewritten.append(some.encode())
        finally:
            rewritten.close()
        # From here on the next run carries the renaming through if this one is killed.
        self._state_file.add({"rewritten": True, "output_bytes": rewritten.length})
        self._file.close()
        self._rename()
        self._file = AppendFile(self.path, length=rewritten.length)

    def close(self) -> None:
        """Close the files and let another run have them."""
        self._file.close()
        self._state_file.close()

    def _recovered(self, plan: Mapping[str, str]) -> State:
        found = self._state_file.state
        if found is None:
            self._state_file.start(plan)
            self._new_path.unlink(missing_ok=True)
        else:
            require_same_plan(found.plan, plan)
            if found.is_rewritten and self._new_path.exists():
                self._rename()
            self._new_path.unlink(missing_ok=True)
        assert self._state_file.state is not None
        return self._state_file.state

    def _rename(self) -> None:
        try:
            self._new_path.replace(self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            raise DataError(f"cannot write {self.path}: {error.strerror}; resume when it can be") from error


def _check(path: Path, state_path: Path, *, resume: bool, overwrite: bool) -> None:
    if path.suffix != _SUFFIX:
        raise InputError(f"the output {str(path)!r} does not end in {_SUFFIX}: it will hold JSON lines")
    if not path.parent.is_dir():
        raise InputError(f"the folder {str(path.parent)!r} does not exist: make it first")
    if resume and overwrite:
        raise InputError("resume and overwrite exclude each other: give one of them")
    if not resume and not overwrite and (path.exists() or state_path.exists()):
        raise InputError(f"{path} exists already: resume it, overwrite it, or choose another output")
    # The first line of the state is on the disk before the output gets anything.
    if not overwrite and _has_bytes(path) and not _has_bytes(state_path):
        raise InputError(f"{path} was not written by this command: overwrite it, or choose another output")


def _has_bytes(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _rows(path: Path) -> Iterator[SyntheticRow]:
    with path.open(encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                yield SyntheticRow.from_dict(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(f"{path} line {number} is no row of this command: overwrite it") from error


def _line(row: SyntheticRow) -> str:
    return json.dumps(row.to_dict(), ensure_ascii=False) + "\n"


def _merged(row: SyntheticRow, pending: Mapping[str, Sequence[PendingMerge]]) -> SyntheticRow:
    for merge in pending.get(_digest(row.text), ()):
        row = merged(row, labels=merge.labels, not_labels=merge.not_labels)
    return row


def _digest(text: str) -> str:
    return hashlib.blake2b(text_key(text).encode(), digest_size=_DIGEST_BYTES).hexdigest()

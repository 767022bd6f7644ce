"""Results that outlive a run: each measured set is kept, so that a stopped evaluation goes on."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labelwise.evaluation.labelled import LabelledRow

__all__ = ["ResultStore", "folder_hash", "result_key", "rows_hash"]

_READ_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class ResultStore:
    """A folder with one small JSON file per measured set, named by what the result depends on."""

    folder: Path

    @classmethod
    def beside(cls, output: Path) -> ResultStore:
        """Return the store of an output file: its name with ``.state``."""
        return cls(output.with_name(output.name + ".state"))

    def load(self, key: str) -> dict[str, Any] | None:
        """Return a kept result; None where there is none, or only the torn rest of one."""
        try:
            kept = json.loads((self.folder / f"{key}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return kept if isinstance(kept, dict) else None

    def save(self, key: str, result: Mapping[str, Any]) -> None:
        """Keep a result; a kill leaves all of it or nothing."""
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished = self.folder / f"{key}.json.new"
        with unfinished.open("w", encoding="utf-8") as stream:
            json.dump(result, stream, ensure_ascii=False)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(self.folder / f"{key}.json")

    def clear(self) -> None:
        """Forget all results."""
        shutil.rmtree(self.folder, ignore_errors=True)


def result_key(*, rows: str, model: str, settings: Mapping[str, Any]) -> str:
    """Return the name of a result: a hash over the rows, the model and every setting it depends on.

    >>> one = result_key(rows="a", model="b", settings={"limit": 3})
    >>> one == result_key(rows="a", model="b", settings={"limit": 4})
    False
    """
    text = json.dumps({"rows": rows, "model": model, "settings": settings}, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def rows_hash(rows: Sequence[LabelledRow]) -> str:
    """Return a hash over what is measured, so that it does not matter in which file the rows lay."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json.dumps(dataclasses.astuple(row), ensure_ascii=True).encode() + b"\n")
    return digest.hexdigest()


def folder_hash(folder: Path) -> str:
    """Return a hash over the names and contents of the files of a checkpoint's folder."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as stream:
            while part := stream.read(_READ_BYTES):
                digest.update(part)
    return digest.hexdigest()

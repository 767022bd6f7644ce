"""The manifest of an unfinished job: what went in, how far it came, and how long the output was then."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from labelwise.errors import DataError, InputError
from labelwise.files.rows import RowSource

__all__ = ["JobManifest", "input_fingerprint", "sync_folder"]

_VERSION: Final = 1
_HASHED_BYTES: Final = 2**20
_SHOWN_CHARACTERS: Final = 60


@dataclass(frozen=True, slots=True)
class JobManifest:
    """What a later run needs to go on.

    Attributes:
        input: the fingerprint of the input file.
        settings: what the caller says the results depend on (model, labels, template, ...).
        input_columns: the columns of the input that were known at the start.
        columns: the columns of the output.
        last_row: the number of the last input row whose result is in the output.
        rows_written: rows in the output.
        output_bytes: length of the unfinished output.
        output_crc32: checksum of those bytes.
        is_finished: whether all rows are in, and only the output's last name was missing.
    """

    input: Mapping[str, str]
    settings: Mapping[str, str]
    input_columns: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    last_row: int = 0
    rows_written: int = 0
    output_bytes: int = 0
    output_crc32: int = 0
    is_finished: bool = False

    @classmethod
    def load(cls, path: Path) -> JobManifest | None:
        """Read a manifest; None where there is none.

        Raises:
            DataError: the file is damaged or of another version.
        """
        try:
            fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if fields.pop("version") != _VERSION:
                raise ValueError("another version")
            fields["input_columns"] = tuple(fields["input_columns"])
            fields["columns"] = tuple(fields["columns"])
            return cls(**fields)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(
                f"{path} cannot be used ({error}): delete it, or overwrite to start again"
            ) from error

    def save(self, path: Path) -> None:
        """Replace the manifest in one step that survives a power cut."""
        unsaved = path.with_name(path.name + ".new")
        text = json.dumps({"version": _VERSION, **asdict(self)}, ensure_ascii=False, indent=1)
        try:
            with unsaved.open("w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            unsaved.replace(path)
        except OSError:
            unsaved.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)

    def require_same(self, *, input: Mapping[str, str], settings: Mapping[str, str]) -> None:
        """Refuse to go on with another input or other settings.

        Raises:
            InputError: naming what differs, with the old and the new value.
        """
        differing = _differences(self.input, input)
        if differing:
            raise InputError(
                f"cannot resume: the input is not the same ({differing}): overwrite to start again"
            )
        differing = _differences(self.settings, settings)
        if differing:
            raise InputError(f"cannot resume: settings differ ({differing}): use the old ones, or overwrite")


def input_fingerprint(source: RowSource) -> dict[str, str]:
    """Tell one input file from another by its format, its size and a hash of its first and last MiB."""
    size = source.path.stat().st_size
    digest = hashlib.sha256()
    with source.path.open("rb") as stream:
        digest.update(stream.read(_HASHED_BYTES))
        stream.seek(max(stream.tell(), size - _HASHED_BYTES))
        digest.update(stream.read(_HASHED_BYTES))
    return {"format": source.format.name, "size": str(size), "sha256 of both ends": digest.hexdigest()}


def sync_folder(folder: Path) -> None:
    """Make a rename in a folder last through a power cut, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _differences(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return "; ".join(f"{name} was {_shown(old.get(name))}, is {_shown(new.get(name))}" for name in names)


def _shown(value: str | None) -> str:
    if value is None:
        return "not given"
    return repr(value if len(value) <= _SHOWN_CHARACTERS else value[:_SHOWN_CHARACTERS] + "…")

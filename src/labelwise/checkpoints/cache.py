"""The cache folder: built graphs with their checksums, and small notes. Everything in it can be made again.

An entry is a folder that is filled under another name and then renamed, so that readers see it whole or not
at all. A cache that cannot be read or written is the same as an empty one.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["cache_folder", "find_entry", "read_note", "store_entry", "write_note"]

_MANIFEST = "manifest.json"
_BUILDING = ".building-"
_READ_BYTES = 1 << 20
_STALE_AFTER_S = 86_400


def cache_folder() -> Path:
    """Return ``$LABELWISE_CACHE``, or ``labelwise`` in the user's cache folder of this system.

    Raises:
        FileNotFoundError: the user has no home folder.
    """
    try:
        return _chosen_folder()
    except RuntimeError as error:  # what pathlib raises for a user without a home
        raise FileNotFoundError(f"no folder for a cache: {error}") from error


def _chosen_folder() -> Path:
    chosen = os.environ.get("LABELWISE_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return (
            Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "labelwise" / "cache"
        )
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "labelwise"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "labelwise"


def find_entry(name: str) -> Path | None:
    """Return the folder of a graph in the cache, or None when it is missing or damaged."""
    try:
        folder = _graphs_folder() / name
        listed = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        is_whole = listed and all(_checksum(folder / file) == checksum for file, checksum in listed.items())
    except (OSError, ValueError, AttributeError):
        return None
    return folder if is_whole else None


def store_entry(name: str, fill: Callable[[Path], None]) -> Path | None:
    """Fill a new folder and put it into the cache under ``name``.

    Args:
        name: The key: what the content depends on.
        fill: Writes the files into the folder that it is given.

    Returns:
        The folder, or None when the cache cannot be written.
    """
    try:
        _graphs_folder().mkdir(parents=True, exist_ok=True)
        _remove_abandoned(_graphs_folder())
        building = Path(tempfile.mkdtemp(prefix=_BUILDING, dir=_graphs_folder()))
    except OSError:
        return None
    try:
        fill(building)
        checksums = {file.name: _checksum(file) for file in sorted(building.iterdir())}
        (building / _MANIFEST).write_text(json.dumps(checksums), encoding="utf-8")
        return _move_into_place(building, name)
    except OSError:
        return None
    finally:
        shutil.rmtree(building, ignore_errors=True)


def read_note(name: str) -> dict[str, Any]:
    """Return a small JSON object kept in the cache; empty when there is none."""
    try:
        value = json.loads((cache_folder() / "notes" / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def write_note(name: str, value: dict[str, Any]) -> None:
    """Keep a small JSON object in the cache, if it can be written."""
    try:
        folder = cache_folder() / "notes"
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=_BUILDING, dir=folder)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(value, stream)
        Path(temporary).replace(folder / name)
    except OSError:
        return


def _graphs_folder() -> Path:
    return cache_folder() / "graphs"


def _move_into_place(building: Path, name: str) -> Path | None:
    final = _graphs_folder() / name
    try:
        building.rename(final)
    except OSError:
        # Somebody else was quicker, or what lies there is damaged.
        if find_entry(name) is not None:
            return final
        final.rename(building.with_name(f"{building.name}-damaged"))
        building.rename(final)
        shutil.rmtree(building.with_name(f"{building.name}-damaged"), ignore_errors=True)
    return final


def _remove_abandoned(folder: Path) -> None:
    """Remove what runs that were killed a day ago or more left behind."""
    for path in folder.glob(f"{_BUILDING}*"):
        if time.time() - path.stat().st_mtime > _STALE_AFTER_S:
            shutil.rmtree(path, ignore_errors=True)


def _checksum(file: Path) -> str:
    # CRC-32 finds damage at 4 GB/s; whoever can write into the user's cache needs no collision.
    value = 0
    with file.open("rb") as stream:
        while block := stream.read(_READ_BYTES):
            value = zlib.crc32(block, value)
    return f"crc32:{value:08x}"

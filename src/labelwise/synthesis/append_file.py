"""A file that only grows, a line at a time, and that a kill cannot leave half believed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from labelwise.errors import DataError, InputError

if sys.platform != "win32":
    import fcntl

__all__ = ["AppendFile", "sync_folder"]


class AppendFile:
    """An open file that is known to be whole up to its length.

    Args:
        path: made when it is not there.
        length: what is known to be whole; the rest is cut off. None takes it as it is.
        lock: keep other runs from having it too.

    Raises:
        InputError: the file cannot be opened, or another run has it locked.
        DataError: it is shorter than that.
    """

    def __init__(self, path: Path, *, length: int | None = None, lock: bool = False) -> None:
        self.path = path
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror}; choose another output") from error
        self._file = os.fdopen(descriptor, "r+b", buffering=0)
        self.length = os.fstat(descriptor).st_size
        try:
            if lock:
                self._lock()
            if length is not None:
                self.cut_to(length)
        except BaseException:
            self._file.close()
            raise

    def read(self) -> bytes:
        """Return all bytes."""
        self._file.seek(0)
        return self._file.read()

    def cut_to(self, length: int) -> None:
        """Forget what comes after so many bytes.

        Raises:
            DataError: there are not even that many.
        """
        if self.length < length:
            raise DataError(
                f"{self.path} has {self.length} bytes of the {length} that were written: overwrite it"
            )
        self._file.truncate(length)
        os.fsync(self._file.fileno())
        self.length = length

    def append(self, data: bytes) -> None:
        """Write at the end and wait until the disk has it.

        Raises:
            DataError: the disk is full or failing; what was written before is whole.
        """
        left = memoryview(data)
        try:
            self._file.seek(self.length)
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            raise DataError(
                f"cannot write {self.path}: {error.strerror}; make room, then resume the run"
            ) from error
        self.length += len(data)

    def close(self) -> None:
        """Close it and let another run have it."""
        self._file.close()

    def _lock(self) -> None:
        if sys.platform == "win32":
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"another run is writing {self.path}: wait for it, or choose another output"
            ) from None


def sync_folder(folder: Path) -> None:
    """Make a rename in a folder last through a power cut, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

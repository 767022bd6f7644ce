"""The bytes of an unfinished output: appended, synced, cut back to a known length, renamed when complete."""

from __future__ import annotations

import os
import sys
import zlib
from pathlib import Path
from typing import Final

from labelwise.errors import DataError, InputError

if sys.platform != "win32":
    import fcntl

__all__ = ["PartialFile"]

_READ_BYTES: Final = 2**20


class PartialFile:
    """A file that is only ever appended to, by one run at a time.

    Attributes:
        length: bytes that are safely in it.
        crc32: their checksum.
    """

    def __init__(self, path: Path) -> None:
        # Opened without truncating: another run may be writing it, and the lock comes after the opening.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        self.path = path
        self._file = os.fdopen(descriptor, "r+b", buffering=0)
        self.length = 0
        self.crc32 = 0
        try:
            self._lock()
        except BaseException:
            self._file.close()
            raise

    def start(self) -> None:
        """Empty it."""
        self._file.truncate(0)

    def resume(self, *, length: int, crc32: int) -> None:
        """Cut it back to a length at which it was known to be whole.

        Raises:
            DataError: it does not hold the bytes that it held then.
        """
        found_length, found_crc32 = 0, 0
        self._file.seek(0)
        while found_length < length:
            data = self._file.read(min(_READ_BYTES, length - found_length))
            if not data:
                break
            found_length += len(data)
            found_crc32 = zlib.crc32(data, found_crc32)
        if (found_length, found_crc32) != (length, crc32):
            raise DataError(
                f"{self.path} is missing or was changed since the run that wrote it: overwrite to start again"
            )
        self._file.truncate(length)
        self.length, self.crc32 = length, crc32

    def append(self, data: bytes) -> None:
        """Write at the end and wait until the disk has it."""
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]
        os.fsync(self._file.fileno())
        self.length += len(data)
        self.crc32 = zlib.crc32(data, self.crc32)

    def rename(self, target: Path) -> None:
        """Give it its last name and close it."""
        if sys.platform == "win32":
            self._file.close()
        self.path.replace(target)
        self._file.close()

    def discard(self) -> None:
        """Delete it and close it."""
        if sys.platform == "win32":
            self._file.close()
        self.path.unlink(missing_ok=True)
        self._file.close()

    def close(self) -> None:
        """Close it and let another run have it."""
        self._file.close()

    def _lock(self) -> None:
        if sys.platform == "win32":
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Between opening and locking, the run that had it may have renamed it: then this is a finished
            # output.
            is_ours = os.path.samestat(os.fstat(self._file.fileno()), self.path.stat())
        except (BlockingIOError, FileNotFoundError):
            is_ours = False
        if not is_ours:
            raise InputError(f"another run is writing {self.path}: wait for it, or choose another output")

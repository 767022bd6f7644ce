"""Run the command line in this process, as the ``labelwise`` script does."""

import io
import sys
from dataclasses import dataclass

import pytest

from labelwise.cli.main import run


@dataclass(frozen=True)
class Finished:
    """What a command left behind."""

    status: int
    out: str
    err: str


@pytest.fixture
def labelwise(monkeypatch, capfdbinary):
    """Return a function that runs ``labelwise ARGUMENTS`` with text on stdin."""

    def command(*arguments, stdin=None):
        piped = io.TextIOWrapper(io.BytesIO((stdin or "").encode()), encoding="utf-8")
        monkeypatch.setattr(sys, "argv", ["labelwise", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", piped)
        with pytest.raises(SystemExit) as stopped:
            run()
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        return Finished(int(stopped.value.code or 0), out.decode(), err.decode())

    return command

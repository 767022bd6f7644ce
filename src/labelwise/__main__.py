"""Run the command line by ``python -m labelwise``."""

from __future__ import annotations

from labelwise.cli.main import run

run()

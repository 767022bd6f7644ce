"""A process with one system in it: requests come as lines of JSON on stdin, answers go to stdout.

Run: python -m labelwise.benchmarking.worker
The first line names the system; each further line holds texts and labels.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

from labelwise.benchmarking.memory import peak_memory_mb
from labelwise.benchmarking.specs import AskSettings, SystemSpec
from labelwise.benchmarking.systems import line_of, open_system
from labelwise.errors import LabelwiseError

if TYPE_CHECKING:
    from labelwise.benchmarking.systems import System

__all__ = ["answer_requests"]


def answer_requests(requests: TextIO, replies: TextIO) -> None:
    """Open the system that the first line names and score what the others ask."""
    opening = json.loads(requests.readline())
    try:
        system = open_system(SystemSpec.parse(opening["system"]), AskSettings(**opening["settings"]))
    except LabelwiseError as error:
        return _reply(replies, {"error": line_of(error)})
    _reply(replies, {"opened": True})
    for line in requests:
        _reply(replies, _answer(system, json.loads(line)))
    return None


def _answer(system: System, request: dict[str, Any]) -> dict[str, Any]:
    try:
        scores = system.score(request["texts"], request["labels"])
    except Exception as error:  # whatever it is, the other side must hear of it
        return {"error": line_of(error)}
    return {"scores": scores.tolist(), "peak_memory_mb": peak_memory_mb()}


def _reply(replies: TextIO, value: dict[str, Any]) -> None:
    replies.write(json.dumps(value) + "\n")
    replies.flush()


def _main() -> None:
    # Libraries print to stdout as they like: the answers get a channel of their own.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as replies:
        os.dup2(2, 1)
        answer_requests(sys.stdin, replies)


if __name__ == "__main__":
    _main()

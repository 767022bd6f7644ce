"""The folder of a run: who may write to it, and the checkpoint that a run goes on from."""

from __future__ import annotations

import json
import os
from pathlib import Path

from labelwise.errors import DataError

__all__ = ["claim", "is_first_process", "newest_checkpoint", "num_processes"]


def claim(output_dir: Path, *, resume: bool) -> Path | None:
    """Make the run folder, and return the newest complete checkpoint where a run is to go on.

    Every process of a run calls this; only the first one makes the folder.

    Raises:
        DataError: the folder holds a run and ``resume`` is False, or cannot be made.
    """
    newest = newest_checkpoint(output_dir)
    if not resume and (newest is not None or (output_dir / "metrics.json").is_file()):
        raise DataError(f"{output_dir} holds a run already: give --resume or another --output")
    if is_first_process():
        try:
            output_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"cannot make the run folder {output_dir}: {error.strerror}") from error
    return newest


def newest_checkpoint(output_dir: Path) -> Path | None:
    """Return the ``checkpoint-N`` folder with the largest N that was written to its end, or None."""
    complete = [
        state.parent for state in output_dir.glob("checkpoint-*/trainer_state.json") if _is_complete(state)
    ]
    return max(complete, key=_step, default=None)


def is_first_process() -> bool:
    """Say whether this process writes: of those that torchrun or accelerate started, the first one."""
    return os.environ.get("RANK", "0") == "0"


def num_processes() -> int:
    """Return how many processes share the run."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def _is_complete(state: Path) -> bool:
    # The Trainer writes trainer_state.json last: without it, or with half of it, the folder was cut off.
    try:
        return isinstance(json.loads(state.read_text(encoding="utf-8")), dict) and _step(state.parent) >= 0
    except (OSError, ValueError):
        return False


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])

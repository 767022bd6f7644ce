"""The part of a run that is the same for every kind of training: note the recipe, then train."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any, Protocol

from transformers import Trainer

from labelwise.training.base import write_json
from labelwise.training.run_folder import is_first_process

__all__ = ["fit"]

log = logging.getLogger("labelwise.training")


class _Recipe(Protocol):
    @property
    def name(self) -> str: ...

    def to_dict(self) -> dict[str, Any]: ...


def fit(trainer: Trainer, recipe: _Recipe, output_dir: Path, *, newest: Path | None) -> int:
    """Write ``recipe.json`` and train; return the seconds that it took.

    Args:
        trainer: of all rows of the run, in order.
        recipe: the run's.
        output_dir: the run folder, claimed.
        newest: the checkpoint that the run goes on from; None starts anew.

    Raises:
        LabelwiseError: the loss is not finite.
    """
    if is_first_process():
        write_json(output_dir / "recipe.json", recipe.to_dict())
    log.info("training %s%s", recipe.name, f", from {newest}" if newest else "")
    started = time.monotonic()
    trainer.train(resume_from_checkpoint=str(newest) if newest else None)
    return round(time.monotonic() - started)

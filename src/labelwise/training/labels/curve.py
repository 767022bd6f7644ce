"""The loss curve of a run: as data always, as a picture where matplotlib is installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from labelwise.training.base import write_json

__all__ = ["write_curve"]


def write_curve(history: Sequence[Mapping[str, Any]], folder: Path) -> None:
    """Write ``loss_curve.json``, the training and validation reports by step, and ``loss_curve.png``."""
    curve = [dict(entry) for entry in history if {"loss", "eval_loss"} & entry.keys()]
    write_json(folder / "loss_curve.json", curve)
    if find_spec("matplotlib") is not None:
        _draw(curve, folder / "loss_curve.png")


def _draw(curve: Sequence[Mapping[str, Any]], path: Path) -> None:
    from matplotlib.figure import Figure  # type: ignore[import-not-found,unused-ignore]

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for key, name in (("loss", "training"), ("eval_loss", "validation")):
        points = [(entry["step"], entry[key]) for entry in curve if key in entry]
        axes.plot([step for step, _ in points], [loss for _, loss in points], label=name)
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.legend()
    figure.savefig(path)

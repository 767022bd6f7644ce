"""The curves of a run: losses, and the measures of its validation, by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from labelwise.errors import require

__all__ = ["draw_curves"]

_LOSSES = ("loss", "eval_loss")
_TIMINGS = ("eval_runtime", "eval_samples_per_second", "eval_steps_per_second")


def draw_curves(history: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw a PNG: losses on the left, validation measures on the right where there are any.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    require("matplotlib", extra="train")
    from matplotlib.figure import Figure

    measures = _measures(history)
    # The training loss comes first, however the run began.
    losses = sorted((name for name in _names(history) if name.endswith("loss")), key=_is_validation)
    panels = [("loss", losses), ("validation measure", measures)][: 2 if measures else 1]
    # A Figure without pyplot draws with Agg, whatever screen there is, and is not kept anywhere.
    figure = Figure(figsize=(6.5 * len(panels), 4), layout="constrained")
    for axes, (label, names) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        for name in names:
            points = [(entry["step"], entry[name]) for entry in history if name in entry and "step" in entry]
            axes.plot(
                [at for at, _ in points], [value for _, value in points], marker=".", label=_title(name)
            )
        axes.set_xlabel("step")
        axes.set_ylabel(label)
        if names:
            axes.legend(fontsize="small")
    figure.savefig(path, dpi=120)


def _names(history: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(
        dict.fromkeys(
            name for entry in history for name, value in entry.items() if isinstance(value, (int, float))
        )
    )


def _measures(history: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        name
        for name in _names(history)
        if _is_validation(name) and not name.endswith("loss") and name not in _TIMINGS
    ]


def _is_validation(name: str) -> bool:
    return name.startswith("eval_")


def _title(name: str) -> str:
    if name in _LOSSES:
        return "training" if name == "loss" else "validation"
    return name.removeprefix("eval_").replace("_", " ")

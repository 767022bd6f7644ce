"""What a finished run leaves behind: its figures, its curves and its model card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from labelwise.training.base import write_json
from labelwise.training.card import DataFile, write_card
from labelwise.training.curves import draw_curves
from labelwise.training.run_folder import is_first_process

__all__ = ["DataFile", "finish_run"]


def finish_run(
    output_dir: Path,
    *,
    title: str,
    base: str,
    task: str,
    metrics: Mapping[str, Any],
    log_history: Sequence[Mapping[str, Any]],
    data: Sequence[DataFile],
    recipe: Mapping[str, Any],
    limits: Sequence[str] = (),
    command: str | None = None,
    origin: str | None = None,
) -> None:
    """Write ``metrics.json``, ``curves.png`` and ``model/README.md``, in the first process.

    Args:
        output_dir: the run folder, with the finished checkpoint in ``model``.
        title: of the model card.
        base: the checkpoint that the run began with.
        task: the verb behind ``labelwise train``: nli, labels, qa or multitask.
        metrics: what metrics.json says, beside the curve; the card shows the numbers of its
            "validation" and, before the recipe's hyper-parameters, its "settings".
        log_history: the Trainer's; its reports of losses and validation become the curve.
        data: the files that were trained on.
        recipe: the run's, as plain values that ``labelwise train`` reads back.
        limits: sentences on what the model cannot do, beside those that hold for every model.
        command: what was run, for the card; left out, ``labelwise train`` with the recipe.
        origin: a sentence on what the model was made from, for the card; left out, that it was fine-tuned
            from the base.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    if not is_first_process():
        return
    curve = [dict(entry) for entry in log_history if "loss" in entry or _is_validation(entry)]
    write_json(output_dir / "metrics.json", {**metrics, "curve": curve})
    draw_curves(curve, output_dir / "curves.png")
    write_card(
        output_dir / "model" / "README.md",
        title=title,
        base=base,
        task=task,
        validation=metrics.get("validation", {}),
        data=data,
        recipe=recipe,
        settings=metrics.get("settings", {}),
        limits=limits,
        command=command,
        origin=origin,
    )


def _is_validation(entry: Mapping[str, Any]) -> bool:
    return any(name.startswith("eval_") for name in entry)

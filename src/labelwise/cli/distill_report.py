"""Teacher and students side by side: accuracy, size and speed, before and after."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labelwise.evaluation.labelled import LabelledRow
    from labelwise.evaluation.protocols import EvaluationSet
    from labelwise.training.recipe import NliRecipe

__all__ = ["Comparison", "LabelledSet", "SystemFigures", "compare"]

SPEED_ROWS = 128
SPEED_ROUNDS = 5
_TOKENIZER = "tokenizer.json"
_BYTES_PER_FLOAT32 = 4


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """Labelled rows and how they are asked."""

    one: EvaluationSet
    rows: Sequence[LabelledRow]

    @classmethod
    def of_file(cls, file: Path, *, limit: int | None = None) -> LabelledSet:
        """Read rows of premise, hypothesis, label, or else of text, label.

        Raises:
            DataError: the file cannot be read or has no such rows.
        """
        from labelwise.errors import DataError
        from labelwise.evaluation.labelled import labelled_rows
        from labelwise.evaluation.protocols import EvaluationSet
        from labelwise.files import read_rows

        rows = [(row.number, row.values) for row in read_rows(file)]
        if not rows:
            raise DataError(f"{file} has no rows: give labelled ones")
        is_pairs = "premise" in rows[0][1]
        one = EvaluationSet(name=file.name, task="entail" if is_pairs else "classify", path=str(file))
        return cls(one, labelled_rows(one, rows, limit=limit))

    @classmethod
    def of_recipe(cls, recipe: NliRecipe, data_dir: Path, *, limit: int | None = None) -> LabelledSet:
        """Read what a recipe validates on.

        Raises:
            DataError: it cannot be read or has no usable row.
        """
        from labelwise.evaluation.labelled import LabelledPair, spread
        from labelwise.evaluation.protocols import EvaluationSet
        from labelwise.training.mix import validation_pairs

        pairs = spread(validation_pairs(recipe, data_dir), limit)
        rows = [LabelledPair(pair.premise, pair.hypothesis, pair.label) for pair in pairs]
        return cls(EvaluationSet(name=Path(recipe.validation).name, task="entail"), rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemFigures:
    """One model of a comparison.

    Attributes:
        name: what it is in the comparison.
        parameters: of encoder and head.
        float32_bytes: what the parameters take at four bytes each.
        disk_bytes: weights as they are stored, and tokenizer.json.
        accuracy: the share of rows that it gets right.
        macro_f1: the mean over the classes.
        pairs_per_second: (premise, hypothesis) or (text, label) pairs on the CPU: the median over rounds.
    """

    name: str
    parameters: int
    float32_bytes: int
    disk_bytes: int
    accuracy: float
    macro_f1: float
    pairs_per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What was measured, and on what; the systems took turns within each of the speed's rounds."""

    measured_on: str
    rows: int
    speed_rows: int
    speed_rounds: int
    systems: tuple[SystemFigures, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the figures for JSON."""
        values = asdict(self)
        return {**values, "systems": list(values["systems"])}

    def lines(self) -> list[str]:
        """Return the figures as a table."""
        width = max(len(system.name) for system in self.systems) + 2
        names = ("parameters", "float32 MB", "on disk MB", "accuracy", "macro-F1", "pairs/s")
        lines = [" " * width + "".join(f"{name:>13}" for name in names)]
        for system in self.systems:
            cells = (
                f"{system.parameters:,}",
                f"{system.float32_bytes / 1e6:.1f}",
                f"{system.disk_bytes / 1e6:.1f}",
                f"{system.accuracy:.4f}",
                f"{system.macro_f1:.4f}",
                f"{system.pairs_per_second:.1f}",
            )
            lines.append(f"{system.name:<{width}}" + "".join(f"{cell:>13}" for cell in cells))
        lines.append(
            f"on {self.rows:,} rows of {self.measured_on}; speed on the CPU, in turns: the median round of "
            f"{self.speed_rounds}, {self.speed_rows} rows each"
        )
        return lines


def compare(
    systems: Mapping[str, Path], test: LabelledSet, *, speed_rounds: int = SPEED_ROUNDS
) -> Comparison:
    """Measure models by name on the same rows.

    Raises:
        CheckpointError: a folder cannot be loaded.
        TaskNotSupportedError: a model cannot do what the rows ask.
        DataError: the rows cannot be measured.
    """
    from labelwise.evaluation.labelled import spread
    from labelwise.evaluation.measuring import measure
    from labelwise.loading import load

    models = {name: load(folder, device="cpu") for name, folder in systems.items()}
    found = {name: measure(model, test.one, test.rows) for name, model in models.items()}
    timed = spread(test.rows, SPEED_ROWS)
    speeds: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(speed_rounds):
        for name, model in models.items():
            round_found = measure(model, test.one, timed)
            speeds[name].append((round_found.num_pairs or round_found.num_rows) / round_found.seconds)
    return Comparison(
        measured_on=test.one.name,
        rows=len(test.rows),
        speed_rows=len(timed),
        speed_rounds=speed_rounds,
        systems=tuple(
            SystemFigures(
                name=name,
                **_sizes(folder),
                accuracy=found[name].measures["accuracy"],
                macro_f1=found[name].measures["macro_f1"],
                pairs_per_second=statistics.median(speeds[name]),
            )
            for name, folder in systems.items()
        ),
    )


def _sizes(folder: Path) -> dict[str, int]:
    from labelwise.distillation.parameter_counts import count_parameters
    from labelwise.distillation.shrink import read_config
    from labelwise.distillation.tensor_file import stored_tensors

    parameters = count_parameters(read_config(folder)).total
    files = {tensor.file for tensor in stored_tensors(folder).values()}
    return {
        "parameters": parameters,
        "float32_bytes": parameters * _BYTES_PER_FLOAT32,
        "disk_bytes": sum(file.stat().st_size for file in (*files, folder / _TOKENIZER)),
    }

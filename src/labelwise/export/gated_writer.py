"""Writes weight files that pass the gate; what fails is explained, or mended by the search."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, get_args

from labelwise.errors import BackendError, InputError
from labelwise.export.gate import GateFigures, Outputs, compare, describe_lengths, run_all, shortcoming
from labelwise.export.gate_rows import GateRows
from labelwise.export.labelled import LabelledRows
from labelwise.export.precisions import parts_that_change
from labelwise.export.report import ExportedFile
from labelwise.export.request import Artefact, Precision, plan_artefacts
from labelwise.export.search import Harm, fewest_kept, measure_harm
from labelwise.export.speed import SPEED_TOKENS, ms_per_text
from labelwise.export.weight_files import WeightWriter, open_artefact
from labelwise.model import Model
from labelwise.text.sequence import TokenSequence

__all__ = ["GatedWriter"]

OnProgress = Callable[[str, int, int], None]
_SEARCH_INPUTS: Final = 96
_NAMED_PARTS: Final = 3
# From the smallest file to the largest: the first that passes is the one to advise.
_BY_SIZE: Final[tuple[Precision, ...]] = ("q4f16", "q4", "int8", "fp16", "bf16", "fp32")


class GatedWriter:
    """Holds the float32 torch model's outputs and writes files whose outputs are the same."""

    def __init__(
        self,
        model: Model,
        rows: GateRows,
        *,
        labelled: LabelledRows | None,
        searches_mixed: bool,
        threads: int | None,
        on_progress: OnProgress,
    ) -> None:
        """Run the float32 torch model on all rows.

        Args:
            model: with the torch backend in float32.
            rows: what every file is tried on.
            labelled: for the accuracy; None for none.
            searches_mixed: mend what fails by keeping parts in float32.
            threads: of the runtimes.
            on_progress: told the stage, how much is done, and of how much.
        """
        self._model, self._rows, self._labelled = model, rows, labelled
        self._searches_mixed, self._threads, self._tell = searches_mixed, threads, on_progress
        self._weights = WeightWriter(model.checkpoint)
        self._original = self._run_model(model, rows, "float32 torch")
        self._accuracy_float32 = None if labelled is None else labelled.accuracy(model)
        self._speed_row = _row_near(rows, SPEED_TOKENS)
        self.ms_per_text_torch = ms_per_text(model.backend, self._speed_row)

    def write(self, artefact: Artefact, folder: Path) -> ExportedFile:
        """Write a weight file that passes the gate.

        Raises:
            BackendError: it does not pass; nothing useful is left in the folder.
            OSError: it cannot be written.
        """
        names, figures, fault = self._try(artefact, folder)
        kept: frozenset[str] = frozenset()
        if fault is not None:
            kept = self._mended(artefact, figures, fault)
            names, figures, fault = self._try(artefact, folder, kept=kept)
            if fault is not None or figures is None:
                raise BackendError(
                    f"{artefact.name} is not exported: with {len(kept)} parts in float32 {fault}; use "
                    "--precision fp32"
                )
        backend = open_artefact(artefact, folder, self._model.checkpoint, threads=self._threads)
        size = sum((folder / name).stat().st_size for name in names)
        return ExportedFile(
            artefact=artefact,
            names=tuple(names),
            num_bytes=size,
            share_of_float32=size / self._float32_bytes(),
            kept_float32=tuple(sorted(kept)),
            opset=self._opset(artefact),
            ms_per_text=ms_per_text(backend, self._speed_row),
            speed_tokens=len(self._speed_row),
            figures=figures,
        )

    def _try(
        self, artefact: Artefact, folder: Path, *, kept: frozenset[str] = frozenset()
    ) -> tuple[list[str], GateFigures | None, str | None]:
        """Write a file and run the whole gate: its files, the figures, and what it fails in."""
        self._tell(f"write {artefact.name}", 0, 1)
        names = self._weights.write(artefact, folder, kept=kept)
        try:
            backend = open_artefact(artefact, folder, self._model.checkpoint, threads=self._threads)
            model = replace(self._model, backend=backend)
            outputs = self._run_model(model, self._rows, f"gate {artefact.name}")
            figures = compare(self._rows, self._original, outputs)
            if self._labelled is not None:
                accuracy = self._labelled.accuracy(model)
                figures = replace(figures, accuracy=accuracy, accuracy_float32=self._accuracy_float32)
        except BackendError as error:
            return names, None, str(error)
        return names, figures, shortcoming(figures, artefact.precision)

    def _mended(self, artefact: Artefact, figures: GateFigures | None, fault: str) -> frozenset[str]:
        """Return the fewest parts to keep in float32, or raise with what is wrong and what passes."""
        ranked = self._rank(artefact)
        kept = None
        if self._searches_mixed and ranked:
            kept = fewest_kept(ranked, lambda parts: self._passes(artefact, parts))
        if kept is not None:
            return kept
        raise BackendError(
            "; ".join(
                [
                    f"{artefact.name} is not exported: in {artefact.precision} {fault}",
                    *_where(figures),
                    *_worst(ranked),
                    self._advice(artefact, is_mendable=bool(ranked) and not self._searches_mixed),
                ]
            )
        )

    def _rank(self, artefact: Artefact) -> list[Harm]:
        parts = parts_that_change(self._weights.graph(), artefact) if artefact.kind != "safetensors" else ()
        rows, original = self._sample()
        stage = f"parts of {artefact.name}"
        return measure_harm(
            parts,
            lambda kept: self._measure(artefact, kept, rows, original),
            on_step=lambda done, total: self._tell(stage, done, total),
        )

    def _passes(self, artefact: Artefact, kept: frozenset[str]) -> bool:
        self._tell(f"try {artefact.name} with {len(kept)} parts in float32", 0, 1)
        with tempfile.TemporaryDirectory(prefix="labelwise-export-") as scratch:
            _, _, fault = self._try(artefact, Path(scratch), kept=kept)
        return fault is None

    def _measure(
        self, artefact: Artefact, kept: frozenset[str], rows: GateRows, original: Outputs
    ) -> GateFigures:
        with tempfile.TemporaryDirectory(prefix="labelwise-export-") as scratch:
            self._weights.write(artefact, Path(scratch), kept=kept)
            backend = open_artefact(artefact, Path(scratch), self._model.checkpoint, threads=self._threads)
            return compare(rows, original, run_all(backend, rows))

    def _advice(self, artefact: Artefact, *, is_mendable: bool) -> str:
        passing = self._passing_precision(artefact)
        mended = "--mixed-precision keeps the harmful parts in float32, " if is_mendable else ""
        advised = f"--precision {passing} passes on a sample" if passing else "no other precision passes"
        return f"{mended}{advised}"

    def _passing_precision(self, artefact: Artefact) -> Precision | None:
        """Find the smallest larger precision that passes on the sample."""
        rows, original = self._sample()
        for precision in _BY_SIZE[_BY_SIZE.index(artefact.precision) + 1 :]:
            other = Artefact(artefact.kind, precision)
            if not _exists(other):
                continue
            try:
                figures = self._measure(other, frozenset(), rows, original)
            except BackendError:
                continue
            # The sample has too few decisions of each head to hold heads to a share one by one.
            if shortcoming(replace(figures, by_head=()), precision) is None:
                return precision
        return None

    def _sample(self) -> tuple[GateRows, Outputs]:
        rows = self._rows.sample(_SEARCH_INPUTS)
        return rows, self._original[:: self._rows.step(_SEARCH_INPUTS)]

    def _run_model(self, model: Model, rows: GateRows, stage: str) -> Outputs:
        return run_all(model.backend, rows, on_batch=lambda done, total: self._tell(stage, done, total))

    def _float32_bytes(self) -> int:
        model = self._model.backend._model  # type: ignore[attr-defined]
        return int(4 * sum(parameter.numel() for parameter in model.parameters()))

    def _opset(self, artefact: Artefact) -> int | None:
        if artefact.kind != "onnx":
            return None
        return next(int(entry.version) for entry in self._weights.graph().opset_import if not entry.domain)


def _exists(artefact: Artefact) -> bool:
    try:
        plan_artefacts([artefact.kind], [artefact.precision])
    except InputError:
        return False
    return artefact.precision in get_args(Precision)


def _where(figures: GateFigures | None) -> list[str]:
    if figures is None or figures.agreement == 1.0:
        return []
    by_head = [f"{head.name}: {100 * head.agreement:.1f} %" for head in figures.by_head]
    found = [f"by length {', '.join(describe_lengths(figures))}"]
    return found if len(by_head) < 2 else [f"by head {', '.join(by_head)}", *found]


def _worst(ranked: list[Harm]) -> list[str]:
    if not ranked:
        return []
    worst = ranked[:_NAMED_PARTS]
    named = ", ".join(f"{harm.part} (logits move by {harm.mean_difference:.2g})" for harm in worst)
    return [f"what hurts most: {named}"]


def _row_near(rows: GateRows, num_tokens: int) -> TokenSequence:
    every = (row for batch in rows.batches for row in batch)
    return min(every, key=lambda row: abs(len(row) - num_tokens))

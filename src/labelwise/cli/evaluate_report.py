"""What an evaluation found, as a table, a file and a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from labelwise.cli.evaluate_options import ReportOptions
from labelwise.cli.evaluate_run import Measured

if TYPE_CHECKING:
    from labelwise.evaluation.protocols import Protocol

__all__ = ["Report"]

# fmt: off
_COLUMN_MEASURES = (
    "accuracy", "balanced_accuracy", "micro_f1", "macro_f1", "exact_match", "lrap", "ece", "pairs_per_s",
    "texts_per_s", "rows", "rows_left_out",
)
# fmt: on
# Beside the measures proper: in the files and on the page, and too much for a line.
_BESIDE = ("labels_true", "labels_accepted", "best_micro_f1", "best_threshold")
_LEFT_OUT = "rows_left_out"
_NOT_IN_TABLE = ("model", "missing", "seconds", *_BESIDE)


@dataclass(frozen=True, slots=True)
class Report:
    """The rows of a report.

    Attributes:
        measured: what was found.
        protocol: whose sets they are; None for files.
        system: what was measured.
    """

    measured: Measured
    protocol: Protocol | None
    system: str

    @property
    def name_key(self) -> str:
        """What rows call their set: "file" or "set"."""
        return "file" if self.protocol is None else "set"

    def rows(self) -> list[dict[str, Any]]:
        """Return a row per set in protocol order; one that is missing says why."""
        if self.protocol is None:
            found = self.measured.results.items()
            return [{"file": name, **result, "model": self.system} for name, result in found]
        reasons = {**self.measured.missing, **self.measured.failures}
        return [
            {"set": one.name, **self.measured.results[one.name], "model": self.system}
            if one.name in self.measured.results
            else {"set": one.name, "missing": reasons[one.name], "model": self.system}
            for one in self.protocol.sets
        ]

    def means(self) -> list[dict[str, Any]]:
        """Return the means over the sets of a protocol: of each task where there are several, and of all."""
        from labelwise.evaluation.report_table import mean_rows

        if self.protocol is None:
            return []
        by_task: dict[str, list[str]] = {}
        for one in self.protocol.sets:
            by_task.setdefault(one.task, []).append(one.name)
        groups = by_task if len(by_task) > 1 else {}
        return mean_rows(
            self.rows(), name="set", groups={**groups, "": [one.name for one in self.protocol.sets]}
        )

    def write(self, options: ReportOptions, *, is_json: bool) -> None:
        """Print the table, and write the files that were asked for."""
        from labelwise.evaluation.report_table import render_csv, render_json, turned

        rows = self.rows()
        shown = render_json([*rows, *self.means()]) if is_json else self._table(options.table)
        if shown:
            typer.echo(shown)
        if options.output_file is not None:
            if options.output_file.suffix == ".json":
                text = render_json([*rows, *self.means()])
            elif options.table == "columns":
                columns = [*rows, *self.means()]
                text = render_csv(turned(columns, name=self.name_key, measures=_column_measures(rows)))
            else:
                text = render_csv([*rows, *self.means()])
            options.output_file.write_text(text, encoding="utf-8")
        if options.html_file is not None:
            from labelwise.evaluation.html_report import render_html

            title = f"{self.system}: {self.protocol.name if self.protocol else 'evaluation'}"
            options.html_file.write_text(render_html(rows, title=title), encoding="utf-8")

    def _table(self, layout: str) -> str:
        from labelwise.evaluation.report_table import render_text

        rows = [_for_people(row) for row in self.rows()]
        if not rows:
            return ""
        if not any(row.get(_LEFT_OUT) for row in rows):
            rows = [{name: value for name, value in row.items() if name != _LEFT_OUT} for row in rows]
        table = self._columns(rows) if layout == "columns" else render_text([*rows, *self.means()])
        missing = {**self.measured.missing, **self.measured.failures} if self.protocol else {}
        lines = [table, *(f"missing: {name}: {reason}" for name, reason in missing.items())]
        return "\n".join(lines)

    def _columns(self, rows: Sequence[Mapping[str, Any]]) -> str:
        """Lay the sets out as columns, those without a figure left out, and the means as a last block."""
        from labelwise.evaluation.report_table import render_blocks, turned

        parts: list[str] = []
        for group in (rows, self.means()):
            measures = _column_measures(group)
            filled = [row for row in group if any(row.get(measure) is not None for measure in measures)]
            if filled:
                parts.append(render_blocks(turned(filled, name=self.name_key, measures=measures)))
            if group is rows and len(filled) < len(rows):
                num_empty = len(rows) - len(filled)
                parts.append(f"{num_empty} of {len(rows)} {self.name_key}s have no figure and are left out")
        return "\n\n".join(parts)


def _for_people(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _NOT_IN_TABLE}


def _column_measures(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [measure for measure in _COLUMN_MEASURES if any(measure in row for row in rows)]

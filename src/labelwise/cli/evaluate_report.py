"""What an evaluation found, as a table, a file and a page."""

from __future__ import annotations

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
    "texts_per_s", "rows",
)
# fmt: on
# Beside the measures proper: in the files and on the page, and too much for a line.
_BESIDE = ("labels_true", "labels_accepted", "best_micro_f1", "best_threshold")
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
        typer.echo(render_json([*rows, *self.means()]) if is_json else self._table(options.table))
        if options.output_file is not None:
            if options.output_file.suffix == ".json":
                text = render_json([*rows, *self.means()])
            elif options.table == "columns":
                text = render_csv(turned(rows, name=self.name_key, measures=self._column_measures()))
            else:
                text = render_csv([*rows, *self.means()])
            options.output_file.write_text(text, encoding="utf-8")
        if options.html_file is not None:
            from labelwise.evaluation.html_report import render_html

            title = f"{self.system}: {self.protocol.name if self.protocol else 'evaluation'}"
            options.html_file.write_text(render_html(rows, title=title), encoding="utf-8")

    def _table(self, layout: str) -> str:
        from labelwise.evaluation.report_table import render_blocks, render_text, turned

        shown = [
            {name: value for name, value in row.items() if name not in _NOT_IN_TABLE}
            for row in [*self.rows(), *self.means()]
        ]
        if layout == "columns":
            table = render_blocks(turned(shown, name=self.name_key, measures=self._column_measures()))
        else:
            table = render_text(shown)
        missing = {**self.measured.missing, **self.measured.failures} if self.protocol else {}
        return "\n".join([table, *(f"missing: {name}: {reason}" for name, reason in missing.items())])

    def _column_measures(self) -> list[str]:
        rows = self.rows()
        return [measure for measure in _COLUMN_MEASURES if any(measure in row for row in rows)]

"""Measure set after set: what is done is kept, what fails is named, the others go on."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from labelwise.cli.evaluate_options import SetOptions
from labelwise.cli.evaluate_progress import ProgressLine
from labelwise.cli.evaluate_sets import MissingSetError, read_set
from labelwise.errors import LabelwiseError, TaskNotSupportedError

if TYPE_CHECKING:
    from labelwise.evaluation.protocols import EvaluationSet
    from labelwise.evaluation.resuming import ResultStore

__all__ = ["EvaluationRun", "Measured"]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run found.

    Attributes:
        results: set name -> what ``Evaluation.to_dict`` gave, in order.
        missing: set name -> why its column is empty: no data here, or a task that the model cannot do.
        failures: set name -> what went wrong with data that are here.
    """

    results: Mapping[str, Mapping[str, Any]]
    missing: Mapping[str, str]
    failures: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRun:
    """A model and how it is asked.

    Attributes:
        model: a labelwise model or a peer.
        model_hash: a hash of the model.
        sets: where rows come from.
        classify_settings: keyword arguments of ``classify``.
        run_settings: what else the results depend on (backend, device, ...).
        store: where finished results are kept; None keeps none.
        is_quiet: no progress.
    """

    model: Any
    model_hash: str
    sets: SetOptions
    classify_settings: Mapping[str, Any]
    run_settings: Mapping[str, Any]
    store: ResultStore | None
    is_quiet: bool

    def over(self, sets: Sequence[EvaluationSet]) -> Measured:
        """Measure each set in turn, saying on stderr how it went."""
        from labelwise.evaluation.hub_rows import HubUnreachableError

        results: dict[str, dict[str, Any]] = {}
        missing: dict[str, str] = {}
        failures: dict[str, str] = {}
        source = self.sets
        for one in sets:
            try:
                result, was_kept = self._result(one, source)
            except (MissingSetError, TaskNotSupportedError) as error:
                missing[one.name] = str(error)
                if isinstance(error.__cause__, HubUnreachableError):
                    # Every further try would wait for half a minute.
                    source = dataclasses.replace(source, no_hub=True)
                typer.echo(f"labelwise: {one.name}: left empty: {error}", err=True)
            except (LabelwiseError, OSError) as error:
                failures[one.name] = str(error)
                typer.echo(f"labelwise: {one.name}: {error}", err=True)
            else:
                results[one.name] = result
                how = "measured by an earlier run" if was_kept else f"in {result['seconds']:.1f} s"
                typer.echo(f"labelwise: {one.name}: {result['rows']:,} rows {how}", err=True)
        return Measured(results, missing, failures)

    def _result(self, one: EvaluationSet, source: SetOptions) -> tuple[dict[str, Any], bool]:
        from labelwise.evaluation.measuring import measure
        from labelwise.evaluation.resuming import result_key, rows_hash

        if one.task not in self.model.tasks:
            raise TaskNotSupportedError(
                f"the model cannot {one.task}: it can {', '.join(sorted(self.model.tasks))}"
            )
        found_rows = read_set(one, source)
        found_rows.left_out.tell(one.name)
        rows, left_out = found_rows.rows, found_rows.left_out.to_dict()
        asked = {name: value for name, value in dataclasses.asdict(one).items() if name not in _PLACE_FIELDS}
        key = result_key(
            rows=rows_hash(rows),
            model=self.model_hash,
            settings={"set": asked, "classify": dict(self.classify_settings), "run": dict(self.run_settings)},
        )
        kept = self.store.load(key) if self.store else None
        if kept is not None:
            return kept | left_out, True
        line = None if self.is_quiet else ProgressLine(one.name, unit=_UNITS.get(one.task, "pairs"))
        try:
            found = measure(
                self.model, one, rows, classify_settings=self.classify_settings, on_progress=line
            ).to_dict()
        finally:
            if line is not None:
                line.clear()
        if self.store is not None:
            self.store.save(key, found)
        return found | left_out, False


# Where the rows lay and what a set is called does not change what is measured.
_PLACE_FIELDS = ("name", "path", "hub", "note", "columns")
_UNITS = {"answer": "windows"}

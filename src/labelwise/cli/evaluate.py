"""``labelwise evaluate``: measure a model on labelled files or by a protocol."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from labelwise.cli import options
from labelwise.cli.columns import ColumnOptions
from labelwise.cli.evaluate_options import AskOptions, PeerFlags, ReportOptions, SetOptions
from labelwise.cli.expand import expand_flags
from labelwise.errors import DataError, InputError

if TYPE_CHECKING:
    from labelwise.cli.evaluate_run import Measured
    from labelwise.evaluation.protocols import Protocol
    from labelwise.evaluation.resuming import ResultStore

__all__ = ["evaluate"]


@expand_flags
def evaluate(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Labelled rows (.csv .tsv .jsonl .parquet), or SQuAD .json for answer."),
    ] = None,
    task: Annotated[
        Literal["classify", "entail", "rank", "answer"] | None,
        typer.Option(
            help="classify (the usual): text, label, or a list in labels. entail: premise, "
            "hypothesis, label. rank: query, candidates, relevance, as lists or a candidate per row. "
            "answer: SQuAD layout."
        ),
    ] = None,
    json_output: options.JsonOutput = False,
    quiet: options.Quiet = False,
    *,
    sets: SetOptions,
    columns: ColumnOptions,
    asking: AskOptions,
    peer: PeerFlags,
    report: ReportOptions,
    model: options.ModelOptions,
) -> None:
    """Measure a model on labelled files or by a protocol: accuracy, macro-F1, calibration error, speed.

    Rows that cannot be used are named and counted, and the others go on; so do the other files where one
    cannot be measured. --resume goes on with a run that stopped.

    Example: labelwise evaluate reviews.jsonl --task classify --hypothesis-template "The sentiment is {}."

    Example: labelwise evaluate topics.csv --text-column Review --label-column Cls --html topics.html

    Example: labelwise evaluate --protocol gliclass-10 --data sets/ --output table.json --html report.html

    Example: labelwise evaluate dev-v2.0.json --task answer --model deepset/deberta-v3-base-squad2
    """
    from labelwise.cli.evaluate_report import Report
    from labelwise.cli.evaluate_run import EvaluationRun
    from labelwise.cli.evaluate_sets import chosen_protocol, sets_of_files

    _check_usage(paths, task, sets, asking)
    _check_columns(task or "classify", sets, columns)
    protocol = chosen_protocol(sets) if sets.protocol else None
    chosen = protocol.sets if protocol else sets_of_files(paths or [], task or "classify", asking, columns)
    store = _store(report)
    opened, model_hash = peer.open(model)
    measured = EvaluationRun(
        model=opened,
        model_hash=model_hash,
        sets=sets,
        classify_settings=asking.settings(),
        run_settings=_run_settings(model, peer),
        store=store,
        is_quiet=quiet,
    ).over(chosen)
    Report(measured, protocol, system=peer.name(model)).write(report, is_json=json_output)
    _complain(measured, protocol, num_sets=len(chosen))


def _check_usage(paths: list[Path] | None, task: str | None, sets: SetOptions, asking: AskOptions) -> None:
    if bool(paths) == bool(sets.protocol):
        raise InputError("give files, or --protocol NAME, one of them")
    if sets.protocol and (task or asking.labels or asking.labels_file):
        raise InputError("--task and --labels are for files: a protocol says the task and labels of each set")


def _check_columns(task: str, sets: SetOptions, columns: ColumnOptions) -> None:
    roles = {"classify": ("text", "label"), "entail": ("premise", "hypothesis", "label")}.get(task, ())
    for role in columns.named:
        if sets.protocol:
            raise InputError(f"--{role}-column is for files: a protocol says the columns of each set")
        if role not in roles:
            raise InputError(f"--{role}-column has no meaning with --task {task}")


def _store(report: ReportOptions) -> ResultStore | None:
    from labelwise.evaluation.resuming import ResultStore

    if report.output_file is None:
        return None
    store = ResultStore.beside(report.output_file)
    if not report.resume:
        store.clear()
    return store


def _run_settings(model: options.ModelOptions, peer: PeerFlags) -> dict[str, Any]:
    import labelwise

    return {
        "labelwise": labelwise.__version__,
        "peer": peer.peer,
        "peer_batch_size": peer.peer_batch_size,
        # The model itself is told by the hash of its files.
        **{name: value for name, value in dataclasses.asdict(model).items() if name != "model"},
    }


def _complain(measured: Measured, protocol: Protocol | None, *, num_sets: int) -> None:
    """Fail where something that is here could not be measured, or where nothing was."""
    troubles = measured.failures if protocol else {**measured.missing, **measured.failures}
    if not troubles and not measured.results:
        troubles = measured.missing
    if troubles:
        name, reason = next(iter(troubles.items()))
        what = "sets" if protocol else "files"
        raise DataError(
            f"{len(troubles)} of {num_sets} {what} could not be measured; the first: {name}: {reason}"
        )

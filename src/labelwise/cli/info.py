"""``labelwise info``: what a model is and what it lacks, without loading it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from labelwise.cli import options

if TYPE_CHECKING:
    from labelwise.checkpoints.description import EncoderShape, ModelDescription

__all__ = ["info"]

_NAME_WIDTH = 14
_MAX_SHOWN_VALUES = 8


def info(
    model: Annotated[str, typer.Argument(help="'bundled', a folder, or a hub id.")] = "bundled",
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit of a hub id.")] = None,
    with_hashes: Annotated[
        bool, typer.Option("--hashes/--no-hashes", help="SHA-256 of each file; it must be read whole.")
    ] = True,
    json_output: options.JsonOutput = False,
) -> None:
    """Tell a model's family, tasks, size, precisions, window, settings, licence, files and what is missing.

    Example: labelwise info

    Example: labelwise info cross-encoder/nli-deberta-v3-small --json
    """
    from labelwise.checkpoints.description import describe

    description = describe(model, revision=revision, with_hashes=with_hashes)
    if json_output:
        from labelwise.cli.printing import print_json

        print_json([description])
        return
    for line in _lines(description):
        typer.echo(line)


def _lines(description: ModelDescription) -> Iterator[str]:
    facts = [*_facts(description), *_settings(description)]
    for name, value in facts:
        yield f"{name:<{_NAME_WIDTH}}{_one_line(value)}"
    yield ""
    yield from _file_table(description)
    if description.missing:
        yield ""
        yield "missing"
        yield from (f"  - {_one_line(sentence)}" for sentence in description.missing)


def _facts(description: ModelDescription) -> Iterator[tuple[str, str]]:
    yield "model", description.ref
    yield "folder", str(description.folder)
    yield "family", description.family
    yield "tasks", ", ".join(description.tasks)
    labels = f": {', '.join(description.labels)}" if description.labels else ""
    yield "head", f"{description.head}{labels}"
    yield "encoder", _encoder(description.encoder)
    count = description.num_parameters
    yield "parameters", "unknown (packed weights)" if count is None else f"{count:,}"
    yield "precisions", ", ".join(description.precisions)
    yield "window", f"{description.max_tokens:,} tokens"
    tokenizer = description.tokenizer
    if tokenizer is not None:
        yield "tokenizer", f"{tokenizer.kind}, {tokenizer.vocabulary_size:,} tokens ({tokenizer.file})"
    yield "licence", description.licence or "not stated"
    if description.settings.source is not None:
        yield "source", description.settings.source
    for proof in description.proofs:
        yield (
            "proven",
            f"{proof.file}: {100 * proof.agreement:.2f} % of decisions on {proof.num_inputs:,} inputs as in "
            f"float32, logits differ by {proof.largest_difference:.1e} at most",
        )


def _encoder(encoder: EncoderShape) -> str:
    parts = [encoder.family]
    for number, unit in (
        (encoder.num_layers, "layers"),
        (encoder.num_decoder_layers, "decoder layers"),
        (encoder.num_attention_heads, "attention heads"),
    ):
        if number:
            parts.append(f"{number} {unit}")
    if encoder.width:
        parts.append(f"width {encoder.width:,}")
    return ", ".join(parts)


def _settings(description: ModelDescription) -> Iterator[tuple[str, str]]:
    settings = description.settings
    if settings.hypothesis_template is not None:
        yield "template", settings.hypothesis_template
    temperatures = [f"{settings.temperature:g}"]
    temperatures += [f"{kind} {value:g}" for kind, value in settings.task_temperatures.items()]
    yield "temperature", ", ".join(temperatures)
    thresholds = [] if settings.default_threshold is None else [f"{settings.default_threshold:g}"]
    thresholds += _values(settings.thresholds)
    if settings.null_threshold:
        thresholds.append(f"no answer {settings.null_threshold:+g}")
    if thresholds:
        yield "thresholds", ", ".join(thresholds)
    biases = _values(settings.label_biases)
    if settings.none_bias:
        biases.append(f"none of these {settings.none_bias:+g}")
    if biases:
        yield "biases", ", ".join(biases)


def _values(by_label: Mapping[str, float]) -> list[str]:
    shown = [f"{label} {value:g}" for label, value in list(by_label.items())[:_MAX_SHOWN_VALUES]]
    num_more = len(by_label) - len(shown)
    return [*shown, f"and {num_more} more (--json)"] if num_more else shown


def _file_table(description: ModelDescription) -> Iterator[str]:
    precision_of = {stored.file: stored.precision for stored in description.weights}
    width = max(len("file"), *(len(_one_line(file.name)) for file in description.files))
    hash_head = "sha256" if any(file.sha256 for file in description.files) else ""
    yield f"{'file':<{width}}  {'size':>8}  {'precision':<9}  {hash_head}".rstrip()
    for file in description.files:
        precision = precision_of.get(file.name, "")
        size = _size(file.num_bytes)
        yield f"{_one_line(file.name):<{width}}  {size:>8}  {precision:<9}  {file.sha256 or ''}".rstrip()
    yield f"{'total':<{width}}  {_size(description.num_bytes):>8}"


def _size(num_bytes: int) -> str:
    for unit, in_bytes in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if num_bytes >= in_bytes:
            return f"{num_bytes / in_bytes:.1f} {unit}"
    return f"{num_bytes} B"


def _one_line(text: str) -> str:
    """Keep a foreign file's text from moving the cursor or tearing the table."""
    return "".join(letter if letter.isprintable() else " " for letter in text)

"""Flags that every kind of training shares, and what they do before and after a run."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from labelwise.errors import InputError, require

__all__ = ["FitOptions", "PublishOptions", "RunOptions", "finish", "prepare"]

_MODULES = ("torch", "transformers", "accelerate", "matplotlib")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What is trained, and where the run reads and writes."""

    recipe: Annotated[Path, typer.Argument(help="The recipe, JSON or YAML; see docs/training.md.")]
    data: Annotated[Path, typer.Option("--data", help="The folder that the recipe's files lie in.")]
    output: Annotated[Path, typer.Option("--output", help="The run folder.")]
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the newest checkpoint of the run folder.")
    ] = False

    def arguments(self) -> dict[str, Any]:
        """Return them as every kind of training takes them, the recipe apart."""
        return {"data_dir": self.data, "output_dir": self.output, "resume": self.resume}


@dataclass(frozen=True, slots=True, kw_only=True)
class FitOptions:
    """What this machine or run needs otherwise than the recipe says."""

    batch_size: Annotated[
        int | None, typer.Option(help="Rows per process and backward pass, instead of the recipe's.")
    ] = None
    accumulation: Annotated[
        int | None, typer.Option(help="Backward passes per step, instead of the recipe's.")
    ] = None
    precision: Annotated[
        str | None, typer.Option(help="auto, fp32, bf16 or fp16, instead of the recipe's.")
    ] = None
    patience: Annotated[
        int | None,
        typer.Option(help="Stop after so many validations without a better one, and keep the best weights."),
    ] = None
    gradient_checkpointing: Annotated[
        bool, typer.Option("--gradient-checkpointing", help="Less memory, slower: compute activations twice.")
    ] = False
    deepspeed: Annotated[Path | None, typer.Option(help="A DeepSpeed configuration (JSON).")] = None

    def changes(self) -> dict[str, Any]:
        """Return the fields of ``TrainerSettings`` that were given."""
        given = {
            name: getattr(self, name) for name in ("batch_size", "accumulation", "precision", "patience")
        }
        if self.gradient_checkpointing:
            given["is_gradient_checkpointed"] = True
        return {name: value for name, value in given.items() if value is not None}

    def arguments(self) -> dict[str, Any]:
        """Return them as every kind of training by the Trainer takes them."""
        return {"deepspeed": self.deepspeed, "changes": self.changes()}


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishOptions:
    """Whether and where the finished model is published."""

    push_to_hub: Annotated[
        str | None, typer.Option(metavar="REPO", help="Publish the finished model as OWNER/NAME on the hub.")
    ] = None
    private: Annotated[bool, typer.Option("--private", help="Make that repository private.")] = False
    revision: Annotated[str | None, typer.Option(help="Push to this branch instead of the main one.")] = None

    def __post_init__(self) -> None:
        if self.push_to_hub is None and (self.private or self.revision is not None):
            raise InputError("--private and --revision belong to --push-to-hub: give the repository too")


def prepare(fit: FitOptions, publish: PublishOptions) -> None:
    """Find out what is missing before the work begins, and let the first process say how it goes.

    Raises:
        MissingExtraError: a package is not installed.
        CheckpointError: the hub would not take the result.
    """
    for module in (*_MODULES, *(["deepspeed"] if fit.deepspeed else [])):
        require(module, extra="train")
    from transformers.utils import logging as transformers_logging

    from labelwise.training.run_folder import is_first_process

    # Bars and advice on the weights' files and new heads would stand between the run's own lines.
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    level = logging.INFO if is_first_process() else logging.ERROR
    logging.basicConfig(level=level, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    if publish.push_to_hub is not None and is_first_process():
        from labelwise.training.publishing import check_hub_access

        check_hub_access(publish.push_to_hub)


def finish(folder: Path, publish: PublishOptions) -> None:
    """Name the finished model's folder, and publish it where asked, in the first process.

    Raises:
        CheckpointError: the hub does not take it.
    """
    from labelwise.training.run_folder import is_first_process

    if not is_first_process():
        return
    typer.echo(folder)
    if publish.push_to_hub is not None:
        from labelwise.training.publishing import push_to_hub

        typer.echo(
            push_to_hub(folder, publish.push_to_hub, is_private=publish.private, revision=publish.revision)
        )

"""The ``labelwise`` command: its verbs, and how errors become one line and an exit status."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from labelwise.cli.answer import answer
from labelwise.cli.benchmark import benchmark
from labelwise.cli.calibrate import calibrate
from labelwise.cli.classify import classify
from labelwise.cli.distill import distill
from labelwise.cli.entail import entail
from labelwise.cli.evaluate import evaluate
from labelwise.cli.export import export
from labelwise.cli.info import info
from labelwise.cli.rank import rank
from labelwise.cli.synthesize import synthesize
from labelwise.cli.train import train
from labelwise.errors import InputError, LabelwiseError

__all__ = ["app", "run"]

_FAILED = 1
_BAD_USAGE = 2
_INTERRUPTED = 130

app = typer.Typer(
    name="labelwise",
    help="Answer questions about text with compact encoders and no training data.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for verb in (
    classify,
    entail,
    rank,
    answer,
    evaluate,
    calibrate,
    benchmark,
    distill,
    export,
    synthesize,
    info,
):
    app.command()(verb)
app.add_typer(train, name="train")


@app.callback(invoke_without_command=True)
def main(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Answer questions about text with compact encoders and no training data."""
    if version:
        import labelwise

        typer.echo(f"labelwise {labelwise.__version__}")
        raise typer.Exit


def run() -> None:
    """Run the command line and exit: 0 fine, 1 the work failed, 2 bad usage."""
    sys.exit(_run())


def _run() -> int:
    try:
        status = app(standalone_mode=False)
    except InputError as error:
        return _complain(error, _BAD_USAGE)
    except LabelwiseError as error:
        return _complain(error, _FAILED)
    except typer.TyperException as error:
        return _complain(error, _BAD_USAGE)
    except (KeyboardInterrupt, typer.Abort):
        return _complain("interrupted", _INTERRUPTED)
    except BrokenPipeError:
        # The reader (head, less) has enough; Python must not complain again when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED
    return status if isinstance(status, int) else 0


def _complain(error: object, status: int) -> int:
    shown = error.format_message() if isinstance(error, typer.TyperException) else str(error)
    line = " ".join(shown.split())
    if line:
        typer.echo(f"labelwise: {line}", err=True)
    return status

"""The ``labelwise`` command: its verbs, and how errors become one line and an exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from labelwise.errors import InputError, LabelwiseError

__all__ = ["build_app", "run"]

_FAILED = 1
_BAD_USAGE = 2
_INTERRUPTED = 130

# Each is a function, or a Typer of several, of that name in a module of that name.
_VERBS = (
    "classify",
    "entail",
    "rank",
    "answer",
    "evaluate",
    "calibrate",
    "benchmark",
    "distill",
    "export",
    "synthesize",
    "info",
    "train",
)


def build_app(arguments: Sequence[str] = ()) -> typer.Typer:
    """Return the command with the verb that the arguments begin with, or with all where they name none.

    Only what is run is imported: the verbs together take a tenth of the time to a first answer.
    """
    app = typer.Typer(
        name="labelwise",
        help="Answer questions about text with compact encoders and no training data.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.callback(invoke_without_command=True)(_main)
    for name in [verb for verb in _VERBS if verb in arguments[:1]] or _VERBS:
        verb = getattr(import_module(f"labelwise.cli.{name}"), name)
        if isinstance(verb, typer.Typer):
            app.add_typer(verb, name=name)
        else:
            app.command()(verb)
    return app


def _main(
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
        status = build_app(sys.argv[1:])(standalone_mode=False)
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
    if "TORCHELASTIC_RUN_ID" in os.environ:
        # Started by torchrun: letting go of a process group may wait for processes that wait for this one.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return status

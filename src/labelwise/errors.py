"""The errors that labelwise raises: each says what, with which value, and what to do."""

from __future__ import annotations

import importlib
from types import ModuleType

__all__ = [
    "BackendError",
    "CheckpointError",
    "DataError",
    "InputError",
    "LabelError",
    "LabelwiseError",
    "MissingExtraError",
    "TaskNotSupportedError",
    "TemplateError",
    "TextTooLongError",
    "require",
]


class LabelwiseError(Exception):
    """Base of every error that labelwise raises on purpose; its text is one line made for people."""


class InputError(LabelwiseError, ValueError):
    """An argument has a value that cannot be used (on the command line: exit status 2)."""


class LabelError(InputError):
    """The labels are empty, doubled, blank or of the wrong shape."""


class TemplateError(InputError):
    """The hypothesis template does not hold exactly one ``{}``."""


class TextTooLongError(InputError):
    """A text does not fit and the caller asked for an error, or no window can hold it."""


class DataError(LabelwiseError):
    """A file or one of its rows cannot be read."""


class CheckpointError(LabelwiseError):
    """A folder or hub id is not a checkpoint that can be used here."""


class TaskNotSupportedError(LabelwiseError):
    """The checkpoint cannot do the verb that was asked of it."""


class BackendError(LabelwiseError):
    """The runtime could not run the model, or gave numbers that are not finite."""


class MissingExtraError(LabelwiseError, ImportError):
    """An optional part of labelwise is needed and not installed."""


def require(module: str, *, extra: str) -> ModuleType:
    """Import an optional dependency, or say which extra brings it.

    Raises:
        MissingExtraError: the module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # A broken module inside an installed package is a different fault and must keep its own traceback.
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise MissingExtraError(
            f"this needs {module!r}, which is not installed: pip install 'labelwise[{extra}]'"
        ) from error

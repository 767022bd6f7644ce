"""Turn what the user names into a folder: the bundled model, a folder, or a hub id."""

from __future__ import annotations

import re
from pathlib import Path

from labelwise.errors import CheckpointError, InputError

__all__ = ["BUNDLED", "resolve"]

BUNDLED = "bundled"
_MAX_REF_CHARACTERS = 200
_REVISION = re.compile(r"[\w./-]{1,200}")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/?/")


def resolve(ref: str | Path, *, revision: str | None = None, needs_safetensors: bool = False) -> Path:
    """Return the folder of a checkpoint, downloading it when it is a hub id that is not in the cache.

    Args:
        ref: "bundled", an existing folder, or a hub id "owner/name".
        revision: A branch, tag or commit; for hub ids only.
        needs_safetensors: Download the safetensors even where an ONNX file would do (the torch backend).

    Raises:
        CheckpointError: it is none of these, or the hub does not give it.
        InputError: a revision was given for a folder.
    """
    _refuse_foreign_names(str(ref))
    folder = _local_folder(ref)
    if folder is not None:
        if revision is not None:
            raise InputError(
                f"revision {revision!r} is for hub ids, and {str(ref)!r} is a local folder: leave it out"
            )
        return folder
    if not isinstance(ref, str) or _looks_like_a_path(ref):
        raise CheckpointError(
            f"there is no folder {str(ref)[:_MAX_REF_CHARACTERS]!r}: name an existing folder, a hub id "
            f"(owner/name), or {BUNDLED!r}"
        )
    _check_hub_id(ref)
    if revision is not None and (not _REVISION.fullmatch(revision) or ".." in revision):
        raise CheckpointError(f"revision {revision[:60]!r} is not the name of a branch, tag or commit")
    from labelwise.checkpoints.hub import download  # huggingface_hub is slow to import

    return download(ref, revision=revision, needs_safetensors=needs_safetensors)


def _local_folder(ref: str | Path) -> Path | None:
    if ref == BUNDLED:
        return _bundled_folder()
    try:
        folder = Path(ref).expanduser()
        if folder.is_file():
            raise CheckpointError(
                f"{str(ref)!r} is a file: name the folder that holds the model (archives are not read)"
            )
        return folder if folder.is_dir() else None
    except (OSError, ValueError, RuntimeError):  # too long a name, or ~ of an unknown user
        return None


def _bundled_folder() -> Path:
    folder = Path(__file__).parent / BUNDLED
    if not (folder / "config.json").is_file():
        raise CheckpointError(
            f"the bundled model is missing from this installation ({folder}): reinstall labelwise"
        )
    return folder


def _refuse_foreign_names(ref: str) -> None:
    """Refuse what must not even be looked up: asking whether a network share exists opens a connection."""
    if not ref.strip():
        raise CheckpointError(
            f"the model's name is empty: name a folder, a hub id (owner/name), or {BUNDLED!r}"
        )
    if "\0" in ref or not ref.isprintable():
        raise CheckpointError(f"the model's name {ref[:60]!r} holds control characters")
    if _URL.match(ref):
        raise CheckpointError(
            f"{ref[:60]!r} is a URL, and models are not loaded from URLs: name a folder or a hub id "
            "(owner/name)"
        )
    if ref.startswith(("\\\\", "//")):
        raise CheckpointError(f"{ref[:60]!r} is a network share: copy the model into a local folder")


def _looks_like_a_path(ref: str) -> bool:
    return (
        len(ref) > _MAX_REF_CHARACTERS
        or ref.startswith(("/", ".", "~"))
        or ".." in ref
        or "\\" in ref
        or ref.count("/") > 1
    )


def _check_hub_id(ref: str) -> None:
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    try:
        validate_repo_id(ref)
    except HFValidationError:
        is_valid = False
    else:
        is_valid = "/" in ref
    if not is_valid:
        raise CheckpointError(
            f"{ref!r} is neither a folder here nor a hub id of the form owner/name, such as "
            "'cross-encoder/nli-deberta-v3-small'"
        )

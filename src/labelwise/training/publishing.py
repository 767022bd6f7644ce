"""Publish a finished checkpoint on the Hugging Face hub."""

from __future__ import annotations

import re
from pathlib import Path

import huggingface_hub
from huggingface_hub import errors as hub_errors

from labelwise.errors import CheckpointError, InputError

__all__ = ["check_hub_access", "push_to_hub"]

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)


def check_hub_access(repo_id: str) -> None:
    """Find out before a long training whether its result could be published.

    Raises:
        InputError: the name is not a hub id.
        CheckpointError: there is no token, it is not valid, or the hub does not answer.
    """
    _check_name(repo_id)
    try:
        huggingface_hub.HfApi().whoami()
    except Exception as error:  # the network layer has changed its exception classes twice
        raise CheckpointError(_explain(error, repo_id)) from error


def push_to_hub(
    model_dir: Path, repo_id: str, *, is_private: bool = False, revision: str | None = None
) -> str:
    """Upload a checkpoint's folder as one commit, and return its address.

    The repository is made if it is not there, and so is the branch ``revision``. The hub's own settings
    hold: HF_TOKEN, HF_ENDPOINT, HF_HUB_OFFLINE.

    Raises:
        InputError: the name is not a hub id.
        CheckpointError: the folder is no checkpoint, there is no token, it lacks the rights, or the hub does
            not answer.
    """
    _check_name(repo_id)
    if not (model_dir / "config.json").is_file():
        raise CheckpointError(f"{model_dir} has no config.json: push the folder of a finished model")
    api = huggingface_hub.HfApi()
    try:
        api.create_repo(repo_id, private=is_private, exist_ok=True)
        if revision is not None:
            api.create_branch(repo_id, branch=revision, exist_ok=True)
        api.upload_folder(
            repo_id=repo_id,
            folder_path=model_dir,
            revision=revision,
            commit_message="Trained with labelwise",
        )
    except Exception as error:  # as above
        raise CheckpointError(_explain(error, repo_id)) from error
    return f"{api.endpoint}/{repo_id}"


def _check_name(repo_id: str) -> None:
    if _HUB_ID.fullmatch(repo_id) is None:
        raise InputError(f"{repo_id!r} is not a hub id: use owner/name")


def _explain(error: Exception, repo_id: str) -> str:
    if isinstance(error, hub_errors.LocalTokenNotFoundError):
        return f"cannot push to {repo_id}: no token; run 'hf auth login' or set HF_TOKEN"
    if isinstance(error, hub_errors.OfflineModeIsEnabled):
        return f"cannot push to {repo_id}: offline mode is on; unset HF_HUB_OFFLINE"
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 401:
        return f"cannot push to {repo_id}: the token is missing or not valid; run 'hf auth login'"
    if status in (403, 404):
        return f"cannot push to {repo_id}: the token may not write there; use one with write access"
    if status is not None:
        return f"cannot push to {repo_id}: the hub answers with status {status}; try again later"
    lines = str(error).strip().splitlines()
    reason = f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
    return f"cannot push to {repo_id}: {reason}; check the network"

"""Fetch a checkpoint from the Hugging Face hub or its cache, and explain in one line when that fails."""

from __future__ import annotations

from pathlib import Path

import huggingface_hub
from huggingface_hub import errors as hub_errors

from labelwise.checkpoints.files import CONFIG_FILE, refuse_without_weights, wanted_from_hub
from labelwise.checkpoints.folder import list_files
from labelwise.checkpoints.json_file import read_json_object
from labelwise.errors import CheckpointError
from labelwise.graphs.families import has_builder
from labelwise.graphs.nested import JOINT_FAMILIES

__all__ = ["download"]


def download(repo_id: str, *, revision: str | None, needs_safetensors: bool) -> Path:
    """Return the cached snapshot folder of a repository, after fetching what is missing of it.

    The hub's own settings hold: HF_HOME, HF_HUB_CACHE, HF_HUB_OFFLINE, HF_ENDPOINT, HF_TOKEN. When the hub
    does not answer, a snapshot in the cache is used.

    Raises:
        CheckpointError: there is no such repository or revision, it is gated, or neither network nor cache
            has it.
    """
    try:
        return _fetch(repo_id, revision, needs_safetensors)
    except CheckpointError as error:
        raise CheckpointError(f"{repo_id}: {error}") from None
    # The network layer below has changed its exception classes twice; whatever it raises means "not fetched".
    except Exception as error:
        is_certain = isinstance(error, hub_errors.RevisionNotFoundError)
        cached = None if is_certain else _cached_snapshot(repo_id, revision)
        if cached is not None:
            return cached
        raise CheckpointError(_explain(error, repo_id, revision)) from error


def _fetch(repo_id: str, revision: str | None, needs_safetensors: bool) -> Path:
    info = huggingface_hub.HfApi().model_info(repo_id, revision=revision)
    names = [entry.rfilename for entry in info.siblings or ()]
    if CONFIG_FILE not in names:
        raise CheckpointError("the repository has no config.json: it is not a transformers model")
    config = read_json_object(Path(huggingface_hub.hf_hub_download(repo_id, CONFIG_FILE, revision=revision)))
    # A published graph of a joint model takes another package's inputs; only its weights are of use.
    has_own_graph = has_builder(config) or config.get("model_type") in JOINT_FAMILIES
    wanted = wanted_from_hub(names, has_own_graph=has_own_graph, needs_safetensors=needs_safetensors)
    return Path(huggingface_hub.snapshot_download(repo_id, revision=revision, allow_patterns=wanted))


def _cached_snapshot(repo_id: str, revision: str | None) -> Path | None:
    found = huggingface_hub.try_to_load_from_cache(repo_id, CONFIG_FILE, revision=revision)
    if not isinstance(found, str):
        return None
    folder = Path(found).parent
    try:
        refuse_without_weights(list_files(folder))
    except CheckpointError:
        return None
    return folder


def _explain(error: Exception, repo_id: str, revision: str | None) -> str:
    if isinstance(error, hub_errors.GatedRepoError):
        page = f"https://huggingface.co/{repo_id}"
        return f"{repo_id} is gated: accept its terms at {page}, then run 'hf auth login'"
    if isinstance(error, hub_errors.RevisionNotFoundError):
        return f"{repo_id} has no revision {revision!r}: name a branch, tag or commit that it has"
    if isinstance(error, hub_errors.RepositoryNotFoundError):
        return (
            f"{repo_id!r} is neither a folder here nor a repository on the hub: check the name, or run "
            "'hf auth login' if it is private"
        )
    cache = huggingface_hub.constants.HF_HUB_CACHE
    wanted = repo_id if revision is None else f"{repo_id} at revision {revision!r}"
    if isinstance(error, hub_errors.OfflineModeIsEnabled):
        return (
            f"offline mode is on (HF_HUB_OFFLINE) and {wanted} is not complete in the cache {cache}: fetch "
            "it once without that setting, or name a folder"
        )
    status = getattr(getattr(error, "response", None), "status_code", None)
    reason = f"status {status}" if status is not None else _first_line(error)
    return (
        f"the hub could not give {wanted} ({reason}) and the cache {cache} does not have it: check the "
        "network and try again, or name a folder"
    )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__

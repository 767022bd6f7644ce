"""Open a checkpoint: read what describes it, refuse what cannot or must not be used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.families import NATIVE_FAMILIES, window_tokens
from labelwise.checkpoints.files import CONFIG_FILE, onnx_by_preference, refuse_without_weights
from labelwise.checkpoints.folder import list_files, weight_files
from labelwise.checkpoints.heads import MultitaskHead, NliHead, ReaderHead
from labelwise.checkpoints.joint_heads import JointHead, joint_head_of
from labelwise.checkpoints.json_file import read_json_object
from labelwise.checkpoints.manifest import check_manifest
from labelwise.checkpoints.onnx_file import read_input_names
from labelwise.checkpoints.resolve import resolve
from labelwise.checkpoints.safetensors_file import read_header
from labelwise.checkpoints.settings import CheckpointSettings, read_settings
from labelwise.errors import CheckpointError
from labelwise.graphs.nested import MULTITASK_FAMILY

__all__ = ["open_checkpoint"]

_PAIR_TASKS = frozenset({"classify", "entail", "rank"})
_READER_TASKS = frozenset({"answer"})
_JOINT_TASKS = frozenset({"classify"})
_ALL_TASKS = _PAIR_TASKS | _READER_TASKS
_LABEL_POSITIONS = "label_positions"
_TOKENIZER_CONFIG = "tokenizer_config.json"


def open_checkpoint(
    ref: str | Path, *, revision: str | None = None, needs_safetensors: bool = False
) -> Checkpoint:
    """Find a checkpoint and say what it is; its weights are read later.

    Args:
        ref: "bundled", a folder, or a hub id "owner/name".
        revision: A branch, tag or commit; for hub ids only.
        needs_safetensors: See `resolve`.

    Raises:
        CheckpointError: it is missing, incomplete or unsafe to read, or neither an entailment model nor a
            reader.
    """
    folder = resolve(ref, revision=revision, needs_safetensors=needs_safetensors)
    try:
        return _describe(str(ref), folder)
    except CheckpointError as error:
        raise CheckpointError(f"{str(ref)!r} cannot be used: {error}") from error


def _describe(ref: str, folder: Path) -> Checkpoint:
    check_manifest(folder)
    names = list_files(folder)
    if CONFIG_FILE not in names:
        raise CheckpointError("it has no config.json, so it is not a model's folder")
    config = read_json_object(folder / CONFIG_FILE)
    family = _family(config)
    refuse_without_weights(names)
    weights = weight_files(folder, names)
    settings = read_settings(folder)
    tokenizer_config = read_json_object(folder / _TOKENIZER_CONFIG) if _TOKENIZER_CONFIG in names else {}
    head = joint_head_of(config, tokenizer_config) or _head(config, settings, weights)
    onnx_files = tuple(folder / name for name in onnx_by_preference(names))
    if isinstance(head, JointHead) and not weights:
        _refuse_foreign_graph(onnx_files[0])
    return Checkpoint(
        ref=ref,
        folder=folder,
        config=config,
        family=family,
        head=head,
        tasks=_tasks(head),
        weight_files=weights,
        onnx_files=onnx_files,
        max_tokens=window_tokens(config, tokenizer_config),
        settings=settings,
    )


def _refuse_foreign_graph(file: Path) -> None:
    """Refuse a joint model's graph that looks for the labels itself, as each maker's does in its own way."""
    try:
        takes_positions = _LABEL_POSITIONS in read_input_names(file)
    except CheckpointError:
        takes_positions = False
    if not takes_positions:
        raise CheckpointError(
            f"it is a joint model without safetensors, and {file.name} does not take label positions, as the "
            "files of labelwise export do: use the checkpoint that has safetensors"
        )


def _tasks(head: NliHead | ReaderHead | JointHead | MultitaskHead) -> frozenset[str]:
    if isinstance(head, MultitaskHead):
        return _ALL_TASKS
    if isinstance(head, JointHead):
        return _JOINT_TASKS
    return _PAIR_TASKS if isinstance(head, NliHead) else _READER_TASKS


def _family(config: Mapping[str, Any]) -> str:
    family = config.get("model_type")
    if not isinstance(family, str) or not family:
        raise CheckpointError("config.json has no model_type")
    if "auto_map" in config and family not in NATIVE_FAMILIES:
        raise CheckpointError(
            f"config.json asks for code of its own ('auto_map', model_type {family!r}), which is never run"
        )
    return family


def _head(
    config: Mapping[str, Any], settings: CheckpointSettings, weights: tuple[Path, ...]
) -> NliHead | ReaderHead | MultitaskHead:
    if config.get("model_type") == MULTITASK_FAMILY:
        return MultitaskHead(NliHead.from_config(config, roles=settings.label_roles))
    architectures = config.get("architectures") or []
    if not isinstance(architectures, list) or not all(isinstance(name, str) for name in architectures):
        raise CheckpointError(f"config.json: architectures must be a list of names, got {architectures!r}")
    if any(name.endswith("ForSequenceClassification") for name in architectures):
        return NliHead.from_config(config, roles=settings.label_roles)
    if any(name.endswith("ForQuestionAnswering") for name in architectures):
        return ReaderHead()
    if architectures:
        raise CheckpointError(
            f"its architecture is {architectures[0]}: only ...ForSequenceClassification (entailment) and "
            "...ForQuestionAnswering are read"
        )
    return _head_from_tensors(config, settings, (name for file in weights for name in read_header(file)))


def _head_from_tensors(
    config: Mapping[str, Any], settings: CheckpointSettings, tensor_names: Iterable[str]
) -> NliHead | ReaderHead:
    """Tell the head by its tensors; a folder with ONNX alone is taken for what its labels say."""
    names = list(tensor_names)
    if any(name.startswith("qa_outputs.") for name in names):
        return ReaderHead()
    if names and not any(
        name.startswith(("classifier.", "classification_head.", "score.")) for name in names
    ):
        raise CheckpointError(
            "config.json names no architecture and the weights have neither a classifier nor qa_outputs"
        )
    return NliHead.from_config(config, roles=settings.label_roles)

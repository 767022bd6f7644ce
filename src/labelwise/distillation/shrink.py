"""Build a student's folder from the teacher's files: whole layers are copied, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labelwise.checkpoints.files import CONFIG_FILE, WEIGHTS_FILE
from labelwise.checkpoints.json_file import read_json_object
from labelwise.checkpoints.safetensors_file import StoredTensor
from labelwise.checkpoints.settings import CALIBRATED_KEYS
from labelwise.distillation.families import LayerStack, stacks_of
from labelwise.distillation.plan import StudentPlan
from labelwise.distillation.student_folder import (
    TOKENIZER_FILES,
    appearing_whole,
    copy_files,
    name_of_model,
    write_json,
)
from labelwise.distillation.tensor_file import PickedTensor, stored_tensors, write_picked
from labelwise.errors import CheckpointError

__all__ = ["copy_settings", "read_config", "shrink", "student_tensors"]

_SETTINGS_FILE = "labelwise.json"


def read_config(folder: Path) -> dict[str, Any]:
    """Read a model folder's config.json.

    Raises:
        CheckpointError: the folder has none, or it is not a JSON object.
    """
    if not (folder / CONFIG_FILE).is_file():
        raise CheckpointError(f"{folder} has no config.json: give the folder of a model")
    return read_json_object(folder / CONFIG_FILE)


def shrink(teacher: Path, plan: StudentPlan, *, output: Path) -> Path:
    """Write the student of a plan made from the teacher's config.json, and return its folder.

    Label names, tied tables, dtype and tokenizer are the teacher's; calibrated numbers are left behind, since
    they do not hold for the student. ``distillation.json`` records the plan.

    Raises:
        CheckpointError: the teacher has no safetensors, or lacks a kept layer.
        DataError: ``output`` exists or cannot be written.
    """
    tensors = student_tensors(stored_tensors(teacher), plan)
    with appearing_whole(output) as draft:
        write_picked(draft / WEIGHTS_FILE, tensors)
        copy_files(teacher, draft, TOKENIZER_FILES)
        copy_settings(teacher, draft)
        write_json(draft / "distillation.json", {"teacher_folder": name_of_model(teacher), **plan.to_dict()})
        write_json(draft / CONFIG_FILE, plan.config)
    return output


def copy_settings(source: Path, target: Path) -> None:
    """Copy labelwise.json without what was calibrated on the source's scores."""
    if not (source / _SETTINGS_FILE).is_file():
        return
    settings = read_json_object(source / _SETTINGS_FILE)
    # What was measured on the teacher's scores says nothing of a student's.
    kept = {key: value for key, value in settings.items() if key not in CALIBRATED_KEYS}
    if kept:
        write_json(target / _SETTINGS_FILE, kept)


def student_tensors(stored: Mapping[str, StoredTensor], plan: StudentPlan) -> list[PickedTensor]:
    """Choose and rename the teacher's tensors that a student keeps.

    Raises:
        CheckpointError: the weights lack a kept layer.
    """
    stacks = stacks_of(plan.config)
    picked: list[PickedTensor] = []
    copied: dict[str, set[int]] = {stack.side: set() for stack in stacks}
    for name, tensor in stored.items():
        stack, found = _layer_of(name, stacks)
        if stack is None or found is None:
            picked.append(PickedTensor(name, tensor))
            continue
        layer = int(found[2])
        if layer in plan.kept[stack.side]:
            copied[stack.side].add(layer)
            place = plan.kept[stack.side].index(layer)
            picked.append(PickedTensor(f"{found[1]}{place}{found[3]}", tensor))
    for stack in stacks:
        missing = sorted(set(plan.kept[stack.side]) - copied[stack.side])
        if missing:
            raise CheckpointError(
                f"the teacher's weights lack {stack.side} layer {missing[0]}, which config.json announces"
            )
    return picked


def _layer_of(name: str, stacks: tuple[LayerStack, ...]) -> tuple[LayerStack | None, re.Match[str] | None]:
    for stack in stacks:
        found = stack.layer_name.fullmatch(name)
        if found:
            return stack, found
    return None, None

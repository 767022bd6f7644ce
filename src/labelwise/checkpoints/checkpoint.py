"""The value that describes one opened checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labelwise.checkpoints.heads import MultitaskHead, NliHead, ReaderHead
from labelwise.checkpoints.joint_heads import JointHead
from labelwise.checkpoints.settings import CheckpointSettings

__all__ = ["Checkpoint"]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Describe a checkpoint: where it lies and what it can do. Its weights are not read yet.

    Attributes:
        ref: What the user asked for: "bundled", a hub id, or a folder.
        family: ``config["model_type"]``, such as "deberta-v2" or "bart".
        weight_files: The safetensors files, in shard order; empty when only ONNX is there.
        onnx_files: The ONNX files, the one to prefer first.
        max_tokens: The window: how many tokens one sequence may hold, control tokens included.
    """

    ref: str
    folder: Path
    config: Mapping[str, Any]
    family: str
    head: NliHead | ReaderHead | JointHead | MultitaskHead
    tasks: frozenset[str]
    weight_files: tuple[Path, ...]
    onnx_files: tuple[Path, ...]
    max_tokens: int
    settings: CheckpointSettings

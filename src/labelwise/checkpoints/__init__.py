"""Say what a folder or hub id is: its family, head, files, window and settings."""

from __future__ import annotations

from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.heads import NliHead, ReaderHead
from labelwise.checkpoints.joint_heads import GliclassHead, GliznetHead, JointHead
from labelwise.checkpoints.opening import open_checkpoint
from labelwise.checkpoints.settings import CheckpointSettings
from labelwise.checkpoints.weights import read_tensors, weights_hash

__all__ = [
    "Checkpoint",
    "CheckpointSettings",
    "GliclassHead",
    "GliznetHead",
    "JointHead",
    "NliHead",
    "ReaderHead",
    "open_checkpoint",
    "read_tensors",
    "weights_hash",
]

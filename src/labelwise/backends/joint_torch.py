"""Joint models in torch, under the inputs that every backend takes; imported only when torch is asked for."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.joint_heads import GliznetHead
from labelwise.errors import CheckpointError
from labelwise.models.gliclass.modeling import GLiClassModel
from labelwise.models.gliznet.modeling import GliZNetModel
from labelwise.models.loading import load_joint_model

__all__ = ["JointForward", "load_joint"]

JointModel = GliZNetModel | GLiClassModel


def load_joint(checkpoint: Checkpoint, *, dtype: torch.dtype = torch.float32) -> JointModel:
    """Load a joint checkpoint's module, whole.

    Raises:
        CheckpointError: the weights do not match config.json, or transformers cannot read them.
    """
    try:
        model = load_joint_model(checkpoint.folder, dtype=dtype)
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        if isinstance(error, CheckpointError):
            raise
        reason = " ".join(str(error).split())[:300]
        raise CheckpointError(f"{checkpoint.ref!r}: transformers cannot load it: {reason}") from error
    head = checkpoint.head
    if isinstance(head, GliznetHead) and model.config.lab_token_id is None:
        raise CheckpointError(f"{checkpoint.ref!r}: config.json has no lab_token_id, which torch needs")
    assert isinstance(model, GliZNetModel | GLiClassModel)
    return model


class JointForward(nn.Module):
    """The model's own forward pass."""

    def __init__(self, model: JointModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor, text_mask: Tensor) -> dict[str, Tensor]:
        """Give the logits; only GliZNet reads ``text_mask``, as what its lmask leaves over."""
        if isinstance(self.model, GliZNetModel):
            return {"logits": self.model(input_ids, attention_mask, lmask=1 - text_mask).logits}
        return {"logits": self.model(input_ids, attention_mask).logits}

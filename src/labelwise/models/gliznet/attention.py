"""What each label reads in its text."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor

__all__ = ["read_text_per_label"]


def read_text_per_label(label_vectors: Tensor, states: Tensor, is_text: Tensor) -> Tensor:
    """Let every label vector attend to the text tokens: one head, no parameters, states as keys and values.

    Args:
        label_vectors: [batch, labels, D].
        states: [batch, tokens, D].
        is_text: boolean [batch, tokens]; at least one text token per row.

    Returns:
        One text vector per label, [batch, labels, D].
    """
    return F.scaled_dot_product_attention(label_vectors, states, states, attn_mask=is_text.unsqueeze(1))

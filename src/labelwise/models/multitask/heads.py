"""The three heads of the multi-task model."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["EntailHead", "LabelHead"]

_ABSENT = -1e9


class LabelHead(nn.Module):
    """One logit per label, from its vector and its own reading of the text.

    A label's vector ``a`` attends once more over the text's vectors, which gives ``t``; an MLP with one
    hidden layer reads ``[a, t, a * t]``. Labels never meet: the logit of one does not depend on the others.
    """

    def __init__(self, hidden_size: int, inner_size: int) -> None:
        super().__init__()
        self.dense = nn.Linear(3 * hidden_size, inner_size)
        self.out = nn.Linear(inner_size, 1)

    def forward(self, hidden: Tensor, label_positions: Tensor, is_text: Tensor) -> Tensor:
        """Return logits, shape (rows, labels).

        Args:
            hidden: the encoder's vectors, shape (rows, tokens, hidden_size).
            label_positions: where each label's vector stands, shape (rows, labels); below 0 for none, whose
                logit means nothing.
            is_text: boolean, shape (rows, tokens).
        """
        size = hidden.shape[-1]
        places = label_positions.clamp(min=0).unsqueeze(-1).expand(-1, -1, size)
        labels = hidden.gather(1, places)
        scores = labels @ hidden.transpose(1, 2) * size**-0.5
        # Float16 ends at 65,504.
        absent = max(_ABSENT, torch.finfo(scores.dtype).min / 2)
        weights = scores.masked_fill(~is_text.unsqueeze(1), absent).softmax(dim=-1)
        text = weights @ hidden
        features = torch.cat([labels, text, labels * text], dim=-1)
        logits: Tensor = self.out(nn.functional.gelu(self.dense(features))).squeeze(-1)
        return logits


class EntailHead(nn.Module):
    """Logits of entailment, neutral and contradiction from the first token, as in BERT's classifier."""

    def __init__(self, hidden_size: int, num_classes: int) -> None:
        super().__init__()
        self.dense = nn.Linear(hidden_size, hidden_size)
        self.out = nn.Linear(hidden_size, num_classes)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return logits, shape (rows, classes), from vectors of shape (rows, tokens, hidden_size)."""
        logits: Tensor = self.out(torch.tanh(self.dense(hidden[:, 0])))
        return logits

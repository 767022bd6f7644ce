"""What the words themselves say: how alike a text and a label are before any layer reads them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["LexicalSimilarity"]

_LEAST_LENGTH = 1e-6


class LexicalSimilarity(nn.Module):
    """The cosine of a text's and a label's weighted sums of word vectors, times a scale.

    The base's word vectors stay as they were pretrained, and know topics that training of the layers
    partly unlearns; a fixed term keeps that. Words weigh by their rarity (inverse document frequency), and
    the mean word is taken off, so that what sets words apart counts. A fresh module adds nothing.

    Attributes:
        token_weights: shape (vocabulary,); 0 for control tokens.
        center: the mean word vector, shape (hidden_size,).
        scale: what the cosine is multiplied with.
    """

    token_weights: Tensor
    center: Tensor
    scale: Tensor

    def __init__(self, vocab_size: int, hidden_size: int) -> None:
        super().__init__()
        self.register_buffer("token_weights", torch.zeros(vocab_size))
        self.register_buffer("center", torch.zeros(hidden_size))
        self.register_buffer("scale", torch.zeros(()))

    def forward(
        self, words: Tensor, input_ids: Tensor, segment_ids: Tensor, label_positions: Tensor
    ) -> Tensor:
        """Return what is added to the labels' logits, shape (rows, labels).

        Args:
            words: rows of the word table, shape (rows, tokens, hidden_size).
            input_ids: shape (rows, tokens).
            segment_ids: shape (rows, tokens).
            label_positions: shape (rows, labels); below 0 for none, which gives a number without meaning.
        """
        weighted = (words - self.center) * self.token_weights[input_ids].unsqueeze(-1)
        text = (segment_ids == 0).to(weighted.dtype).unsqueeze(1) @ weighted
        own = segment_ids.gather(1, label_positions.clamp(min=0))
        belongs = own.unsqueeze(2) == segment_ids.unsqueeze(1)
        labels = belongs.to(weighted.dtype) @ weighted
        cosine = nn.functional.cosine_similarity(text, labels, dim=-1, eps=_LEAST_LENGTH)
        return cosine * self.scale

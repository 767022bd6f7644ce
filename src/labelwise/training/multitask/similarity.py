"""Fill a trained model's lexical similarity: rarities of words in the training texts, and the mean word."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray

from labelwise.models.multitask import MultitaskModel

__all__ = ["add_similarity", "token_rarities"]


def token_rarities(
    texts: Iterable[NDArray[np.int64]], *, vocab_size: int, control_ids: Iterable[int]
) -> NDArray[np.float32]:
    """Return each token's inverse document frequency, ``log((texts + 1) / (texts with it + 1))``.

    Control tokens get 0.

    >>> texts = [np.array([5, 6]), np.array([5])]
    >>> [round(float(weight), 2) for weight in token_rarities(texts, vocab_size=8, control_ids=[0])]
    [0.0, 1.1, 1.1, 1.1, 1.1, 0.0, 0.41, 1.1]
    """
    counts = np.zeros(vocab_size, dtype=np.int64)
    num_texts = 0
    for ids in texts:
        counts[np.unique(ids)] += 1
        num_texts += 1
    rarities = np.log((num_texts + 1) / (counts + 1))
    rarities[list(control_ids)] = 0.0
    return rarities.astype(np.float32)


def add_similarity(model: MultitaskModel, rarities: NDArray[np.float32], *, scale: float) -> None:
    """Set a model's lexical similarity; its layers stay as they are."""
    similarity = model.similarity
    with torch.no_grad():
        similarity.token_weights.copy_(torch.from_numpy(rarities))
        words = model.get_input_embeddings().get_parameter("weight")
        similarity.center.copy_(words.mean(dim=0))
        similarity.scale.fill_(scale)

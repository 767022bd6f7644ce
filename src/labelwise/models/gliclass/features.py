"""Which token vectors belong to the labels, and which to the text."""

from __future__ import annotations

import torch
from torch import Tensor

from labelwise.models.gathering import gather_marked
from labelwise.models.gliclass.configuration import GLiClassConfig

__all__ = ["label_features", "segment_ids", "text_features"]


def label_features(
    states: Tensor, input_ids: Tensor, is_real: Tensor, *, config: GLiClassConfig
) -> tuple[Tensor, Tensor]:
    """Give one vector per label, from left to right.

    Returns:
        Vectors [batch, K, D] and a boolean [batch, K] that says which are real; K is the most in a row.
    """
    is_class_token = (input_ids == config.class_token_index) & is_real
    if config.class_token_pooling == "average":
        return _averaged_spans(states, input_ids, is_real, is_class_token, config)
    if config.embed_class_token:
        return gather_marked(states, is_class_token)
    follows_class_token = torch.zeros_like(is_class_token)
    follows_class_token[:, 1:] = is_class_token[:, :-1]
    return gather_marked(states, follows_class_token & is_real)


def _averaged_spans(
    states: Tensor, input_ids: Tensor, is_real: Tensor, is_class_token: Tensor, config: GLiClassConfig
) -> tuple[Tensor, Tensor]:
    """Average from each class token to the next; the last span ends with the row, or at the text token."""
    in_span = is_real
    if config.extract_text_features:
        in_span = in_span & ((input_ids == config.text_token_index).cumsum(dim=-1) == 0)
    if not config.embed_class_token:
        in_span = in_span & ~is_class_token
    counts = is_class_token.sum(dim=-1)
    ranks = torch.arange(1, int(counts.max()) + 1, device=states.device)
    spans = (is_class_token.cumsum(dim=-1).unsqueeze(1) == ranks.view(1, -1, 1)) & in_span.unsqueeze(1)
    weights = spans.to(states.dtype)
    averages = weights @ states / weights.sum(dim=-1, keepdim=True).clamp(min=1)
    return averages, ranks <= counts.unsqueeze(-1)


def text_features(
    states: Tensor, input_ids: Tensor, is_real: Tensor, *, config: GLiClassConfig
) -> tuple[Tensor, Tensor, Tensor]:
    """Give the token vectors that are pooled into the text vector.

    Returns:
        Vectors [batch, tokens, D], a boolean [batch, tokens] of those that are text, and one of those that
        are pooled. The two differ with ``extract_text_features``: the text is moved to the front, zeros fill
        the rest of the row, and the published pooling counts them.
    """
    if not config.extract_text_features:
        return states, is_real, is_real
    places = torch.arange(input_ids.shape[-1], device=states.device)
    starts = (input_ids == config.text_token_index).int().argmax(dim=-1, keepdim=True)
    lengths = is_real.sum(dim=-1, keepdim=True)
    is_text = places < lengths - starts
    sources = (starts + places).clamp(max=input_ids.shape[-1] - 1)
    moved = states.gather(1, sources.unsqueeze(-1).expand_as(states)) * is_text.unsqueeze(-1)
    return moved, is_text, places < lengths


def segment_ids(input_ids: Tensor, *, config: GLiClassConfig) -> Tensor:
    """Number the parts of each row: 0 labels, 1 text, 2 a row with examples.

    The published code means to begin part 2 at the first example but begins it at the row's first token;
    trained weights expect that.
    """
    has_example = (input_ids == config.example_token_index).any(dim=-1, keepdim=True)
    starts = (input_ids == config.text_token_index).int().argmax(dim=-1, keepdim=True)
    is_text = torch.arange(input_ids.shape[-1], device=input_ids.device) >= starts
    return is_text.long().masked_fill(has_example, 2)

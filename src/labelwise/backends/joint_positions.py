"""The joint models' forward passes with label positions as an input, in the form that can be exported.

The models themselves find the labels by their token ids, into arrays whose size depends on the ids; no
exporter can trace that.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from labelwise.errors import CheckpointError
from labelwise.models.gliclass.modeling import GLiClassModel
from labelwise.models.gliznet.attention import read_text_per_label
from labelwise.models.gliznet.modeling import GliZNetModel

__all__ = ["GliclassPositions", "GliznetPositions"]

_NORM_FLOOR = 1e-8


class GliznetPositions(nn.Module):
    """GliZNet; the logits of absent labels (position -1) have no meaning."""

    def __init__(self, model: GliZNetModel) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, label_positions: Tensor, text_mask: Tensor
    ) -> Tensor:
        """Give logits [batch, labels]."""
        states = self.model.backbone(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        labels = _gathered(states, label_positions)
        # The exporter takes attention with an axis of heads only.
        texts = read_text_per_label(labels[:, None], states[:, None], text_mask.bool()[:, None])[:, 0]
        logits: Tensor = self.model.aggregator(texts, labels)
        return logits


class GliclassPositions(nn.Module):
    """GLiClass; the logits of absent labels (position -1) have no meaning.

    Raises:
        CheckpointError: the model has a part that cannot be traced.
    """

    def __init__(self, model: GLiClassModel) -> None:
        super().__init__()
        config = model.config
        if config.use_lstm:
            raise CheckpointError("config.json: use_lstm cannot be exported; use backend='torch'")
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor, label_positions: Tensor) -> Tensor:
        """Give logits [batch, labels]."""
        unit, config = self.model.model, self.model.config
        is_real = attention_mask.bool()
        states = unit._encode(input_ids, attention_mask)
        text_vectors, is_text = unit._text_vectors(states, input_ids, is_real)
        labels = unit.classes_projector(self._labels(states, input_ids, is_real, label_positions))
        if config.normalize_features:
            text_vectors, labels = _to_length_one(text_vectors), _to_length_one(labels)
        logits: Tensor = unit.scorer(text_vectors, labels, is_text)
        return logits * unit.logit_scale if config.normalize_features else logits

    def _labels(self, states: Tensor, input_ids: Tensor, is_real: Tensor, positions: Tensor) -> Tensor:
        config = self.model.config
        if config.class_token_pooling != "average":
            return _gathered(states, positions + (0 if config.embed_class_token else 1))
        # The span of label k: the tokens that have seen k label tokens, up to the text or the row's end.
        is_label_token = (input_ids == config.class_token_index) & is_real
        inside = is_real
        if config.extract_text_features:
            inside = inside & ((input_ids == config.text_token_index).cumsum(dim=-1) == 0)
        if not config.embed_class_token:
            inside = inside & ~is_label_token
        ranks = torch.ones_like(positions).cumsum(dim=-1)
        seen = is_label_token.long().cumsum(dim=-1)
        weights = ((seen.unsqueeze(1) == ranks.unsqueeze(-1)) & inside.unsqueeze(1)).to(states.dtype)
        averages: Tensor = weights @ states / weights.sum(dim=-1, keepdim=True).clamp(min=1)
        return averages


def _gathered(states: Tensor, positions: Tensor) -> Tensor:
    places = positions.clamp(min=0).unsqueeze(-1).expand(-1, -1, states.shape[-1])
    return states.gather(1, places)


def _to_length_one(vectors: Tensor) -> Tensor:
    lengths: Tensor = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    return vectors / (lengths + _NORM_FLOOR)

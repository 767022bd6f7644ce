"""The GLiClass uni-encoder: one encoder over labels and text, two projectors, one scorer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from transformers import AutoModel, PreTrainedModel
from transformers import initialization as init
from transformers.activations import ACT2FN
from transformers.utils import ModelOutput

from labelwise.models.gliclass.configuration import GLiClassConfig
from labelwise.models.gliclass.features import label_features, segment_ids, text_features
from labelwise.models.gliclass.pooling import POOLINGS
from labelwise.models.gliclass.scorers import SCORERS
from labelwise.models.gliclass.support import refuse_unsupported

__all__ = ["GLiClassModel", "GLiClassOutput"]

_NORM_FLOOR = 1e-8


@dataclass
class GLiClassOutput(ModelOutput):  # type: ignore[misc]
    """What the model gives back.

    Attributes:
        logits: [batch, K], -inf where a row has fewer than K labels; K is the most labels in the batch.
        label_vectors: projected, [batch, K, D].
        text_vectors: projected, [batch, D] (or [batch, tokens, D] with pooling_strategy "pass").
    """

    logits: Tensor | None = None
    label_vectors: Tensor | None = None
    text_vectors: Tensor | None = None


class Projector(nn.Module):
    """Two linear layers with an activation between."""

    def __init__(self, config: GLiClassConfig) -> None:
        super().__init__()
        encoder_width = config.encoder_config.hidden_size
        self.linear_1 = nn.Linear(encoder_width, config.hidden_size)
        self.act = ACT2FN[config.projector_hidden_act]
        self.dropout = nn.Dropout(config.dropout)
        self.linear_2 = nn.Linear(config.hidden_size, encoder_width)

    def forward(self, vectors: Tensor) -> Tensor:
        """Project [..., D] to [..., D]."""
        projected: Tensor = self.linear_2(self.dropout(self.act(self.linear_1(vectors))))
        return projected


class TextLSTM(nn.Module):
    """A two-way LSTM over the text tokens, blind to padding."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(width, width // 2, batch_first=True, bidirectional=True)

    def forward(self, states: Tensor, is_text: Tensor) -> tuple[Tensor, Tensor]:
        """Give new states [batch, longest, D] and which of them are text."""
        lengths = is_text.sum(dim=1)
        packed = pack_padded_sequence(states, lengths.cpu(), batch_first=True, enforce_sorted=False)
        unpacked, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        return unpacked, is_text[:, : unpacked.shape[1]]


class UniEncoder(nn.Module):
    """The parts of a GLiClass model, under the names that published checkpoints give them."""

    def __init__(self, config: GLiClassConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder_model = AutoModel.from_config(config.encoder_config)
        self.text_projector = Projector(config)
        self.classes_projector = Projector(config)
        self.scorer = SCORERS[config.scorer_type](config)
        if config.use_lstm:
            self.lstm = TextLSTM(config.hidden_size)
        if config.use_segment_embeddings:
            self.segment_embeddings = nn.Embedding(3, config.encoder_config.hidden_size)
        self.dropout = nn.Dropout(config.dropout)
        self.logit_scale = nn.Parameter(torch.tensor(config.logit_scale_init_value))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> GLiClassOutput:
        """Score every label of a batch; see `GLiClassModel.forward`."""
        is_real = attention_mask.bool()
        states = self._encode(input_ids, attention_mask)
        labels, present = label_features(states, input_ids, is_real, config=self.config)
        text_vectors, is_text = self._text_vectors(states, input_ids, is_real)
        label_vectors = self.classes_projector(labels)
        if self.config.normalize_features:
            text_vectors, label_vectors = _to_length_one(text_vectors), _to_length_one(label_vectors)
        logits = self.scorer(text_vectors, label_vectors, is_text)
        if self.config.normalize_features:
            logits = logits * self.logit_scale
        return GLiClassOutput(
            logits=logits.masked_fill(~present, float("-inf")),
            label_vectors=label_vectors,
            text_vectors=text_vectors,
        )

    def _encode(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        arguments: dict[str, Any] = {"attention_mask": attention_mask, "return_dict": True}
        if self.config.use_segment_embeddings:
            parts = self.segment_embeddings(segment_ids(input_ids, config=self.config))
            arguments["inputs_embeds"] = self.encoder_model.get_input_embeddings()(input_ids) + parts
        else:
            arguments["input_ids"] = input_ids
        if self.config.encoder_layer_id == -1:
            states: Tensor = self.encoder_model(**arguments).last_hidden_state
        else:
            layers = self.encoder_model(**arguments, output_hidden_states=True).hidden_states
            states = layers[self.config.encoder_layer_id]
        return states

    def _text_vectors(self, states: Tensor, input_ids: Tensor, is_real: Tensor) -> tuple[Tensor, Tensor]:
        text, is_text, is_pooled = text_features(states, input_ids, is_real, config=self.config)
        if self.config.use_lstm:
            text, is_text = self.lstm(text, is_text)
            is_pooled = is_text
        pooled = POOLINGS[self.config.pooling_strategy](text, is_pooled)
        return self.dropout(self.text_projector(pooled)), is_text


class GLiClassModel(PreTrainedModel):  # type: ignore[misc]
    """Scores every ``<<LABEL>>`` of a sequence, labels before or after the text; any number of labels.

    State dict: ``model.encoder_model.*``, ``model.text_projector.*``, ``model.classes_projector.*``,
    ``model.scorer.*``, ``model.logit_scale``.

    Raises:
        CheckpointError: the checkpoint is of a kind that cannot be built (`support.refuse_unsupported`).
    """

    config_class = GLiClassConfig
    base_model_prefix = "model"
    supports_gradient_checkpointing = True

    def __init__(self, config: GLiClassConfig) -> None:
        super().__init__(config)
        refuse_unsupported(config)
        self.model = UniEncoder(config)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, UniEncoder):
            init.constant_(module.logit_scale, self.config.logit_scale_init_value)

    def get_input_embeddings(self) -> nn.Module:
        """Give the encoder's embedding table."""
        table: nn.Module = self.model.encoder_model.get_input_embeddings()
        return table

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the encoder's embedding table."""
        self.model.encoder_model.set_input_embeddings(value)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, *, return_dict: bool | None = None
    ) -> GLiClassOutput | tuple[Tensor, ...]:
        """Score all labels of a batch, left to right.

        A row's logits do not depend on the rest of its batch, and equal the gliclass package's for that row
        alone.

        Args:
            input_ids: [batch, tokens], padded on the right; labels stand where ``class_token_index`` does.
            attention_mask: [batch, tokens], 0 on padding.
            return_dict: False gives a tuple.
        """
        output: GLiClassOutput = self.model(input_ids, attention_mask)
        if return_dict is False:
            as_tuple: tuple[Tensor, ...] = output.to_tuple()
            return as_tuple
        return output


def _to_length_one(vectors: Tensor) -> Tensor:
    lengths: Tensor = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    return vectors / (lengths + _NORM_FLOOR)

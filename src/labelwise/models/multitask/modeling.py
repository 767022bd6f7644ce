"""The multi-task model: which tokens see which, and what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from transformers import BertModel, PreTrainedModel
from transformers.utils import ModelOutput

from labelwise.models.multitask.configuration import MultitaskConfig
from labelwise.models.multitask.heads import EntailHead, LabelHead
from labelwise.models.multitask.similarity import LexicalSimilarity

__all__ = ["MultitaskModel", "MultitaskOutput", "attention_bias"]

HeadName = Literal["classify", "entail", "answer"]
_UNSEEN = -1e9


@dataclass
class MultitaskOutput(ModelOutput):  # type: ignore[misc]  # transformers has no types
    """What the heads say; a head that was not asked for is None.

    Attributes:
        label_logits: shape (rows, labels).
        entail_logits: shape (rows, 3): entailment, neutral, contradiction.
        start_logits: shape (rows, tokens).
        end_logits: shape (rows, tokens).
    """

    label_logits: Tensor | None = None
    entail_logits: Tensor | None = None
    start_logits: Tensor | None = None
    end_logits: Tensor | None = None


class MultitaskModel(PreTrainedModel):  # type: ignore[misc]
    """A BERT encoder with a head for labels, one for entailment and one for answers.

    Rows hold a text (segment 0) and its labels (segments 1, 2, ...), or two texts (all of segment 0).
    The text sees itself; a label sees the text and itself, never another label.

    Example:
        >>> import torch
        >>> config = MultitaskConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
        ...                          intermediate_size=16, vocab_size=20)
        >>> model = MultitaskModel(config).eval()
        >>> model(torch.tensor([[2, 7, 3]]), segment_ids=torch.tensor([[0, 0, 0]])).entail_logits.shape
        torch.Size([1, 3])
    """

    config_class = MultitaskConfig
    base_model_prefix = "encoder"
    supports_gradient_checkpointing = True
    _no_split_modules = ["BertLayer"]
    _supports_sdpa = True
    similarity: LexicalSimilarity

    def __init__(self, config: MultitaskConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.encoder = BertModel(config, add_pooling_layer=False)
        self.classify_head = LabelHead(size, config.label_head_size)
        self.similarity = LexicalSimilarity(config.vocab_size, size)
        self.entail_head = EntailHead(size, config.num_labels)
        self.answer_head = nn.Linear(size, 2)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """Return the table of word vectors."""
        table: nn.Module = self.encoder.get_input_embeddings()
        return table

    def forward(
        self,
        input_ids: Tensor,
        *,
        segment_ids: Tensor,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        label_positions: Tensor | None = None,
        heads: tuple[HeadName, ...] = ("classify", "entail", "answer"),
    ) -> MultitaskOutput:
        """Read rows and return what the heads say.

        Args:
            input_ids: shape (rows, tokens).
            segment_ids: 0 for a text, k from 1 for the k-th label's tokens, -1 for padding.
            token_type_ids: BERT's types; None is all 0.
            position_ids: None counts from 0.
            label_positions: shape (rows, labels), -1 for none; None where no label is asked about.
            heads: which heads to run; labels are judged only where there are some.
        """
        hidden = self.encoder(
            input_ids=input_ids,
            attention_mask=attention_bias(segment_ids, dtype=self._compute_dtype(input_ids)),
            token_type_ids=token_type_ids,
            position_ids=position_ids,
        ).last_hidden_state
        found = MultitaskOutput()
        if "classify" in heads and label_positions is not None:
            words = self.get_input_embeddings()(input_ids)
            learnt = self.classify_head(hidden, label_positions, segment_ids == 0)
            found["label_logits"] = learnt + self.similarity(words, input_ids, segment_ids, label_positions)
        if "entail" in heads:
            found["entail_logits"] = self.entail_head(hidden)
        if "answer" in heads:
            start, end = self.answer_head(hidden).unbind(dim=-1)
            found["start_logits"], found["end_logits"] = start, end
        return found

    def _compute_dtype(self, inputs: Tensor) -> torch.dtype:
        device = inputs.device.type
        is_autocast = torch.is_autocast_enabled(device)
        return torch.get_autocast_dtype(device) if is_autocast else self.dtype


def attention_bias(segment_ids: Tensor, *, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return what is added to attention scores, shape (rows, 1, tokens, tokens): 0 where a token is seen.

    Padding sees the text like any other segment: a row of nothing but unseen tokens would have no softmax.
    """
    seen = segment_ids.unsqueeze(1)
    is_seen = (seen == 0) | ((seen == segment_ids.unsqueeze(2)) & (seen > 0))
    bias = torch.zeros(is_seen.shape, dtype=dtype, device=segment_ids.device)
    # Float16 ends at 65,504.
    return bias.masked_fill(~is_seen, max(_UNSEEN, torch.finfo(dtype).min / 2)).unsqueeze(1)

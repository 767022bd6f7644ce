"""transformers' DeBERTa-v2 models, run on packed sequences: no padding, one product for Q, K and V."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn
from transformers import DebertaV2ForQuestionAnswering, DebertaV2ForSequenceClassification

from labelwise.errors import InputError
from labelwise.graphs.relative_positions import RelativeSettings
from labelwise.models.attention.dispatch import MAX_HEAD_SIZE
from labelwise.models.attention.layers import PackedLayer
from labelwise.models.attention.layout import PackedLayout
from labelwise.models.attention.rows import PackedRows

__all__ = ["PackedDeberta", "is_packable", "packed_on_gpu"]


class PackedDeberta(nn.Module):
    """The forward pass of a DeBERTa-v2/v3 classifier or reader over packed rows, for inference alone.

    It takes padded rows and returns padded outputs, so that it stands in for transformers' module; padding
    is dropped in between. A row's outputs do not depend on its neighbours. A row without tokens gets finite
    numbers without meaning. Shares the module's weights but for those of Q, K and V, which it joins.

    Raises:
        InputError: the module is not one that `is_packable` accepts.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        if not is_packable(model):
            raise InputError(f"{type(model).__name__} cannot run packed: run it as it is")
        deberta: Any = model.deberta
        config = deberta.config
        settings = RelativeSettings.from_config(config.to_dict())
        rows = _relative_rows(deberta.encoder, settings)
        self.config = config
        self.embeddings = deberta.embeddings
        self.layers = nn.ModuleList(PackedLayer(layer, rows, settings) for layer in deberta.encoder.layer)
        self.reader: Any = getattr(model, "qa_outputs", None)
        self.pooler: Any = getattr(model, "pooler", None)
        self.classifier: Any = getattr(model, "classifier", None)
        self.eval()

    @torch.no_grad()
    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Run a batch of rows whose padding comes last.

        Args:
            input_ids: [rows, tokens].
            attention_mask: 1 on a row's own tokens, 0 on padding.
            token_type_ids: Zeros where absent.

        Returns:
            ``logits`` [rows, classes]; of a reader ``start_logits`` and ``end_logits`` [rows, tokens], zero
            on padding.

        Raises:
            InputError: a row has padding before or between its tokens.
        """
        rows = PackedRows.of(attention_mask, device=input_ids.device)
        types = None if token_type_ids is None else rows.pack(token_type_ids).unsqueeze(0)
        hidden = self.embeddings(
            input_ids=rows.pack(input_ids).unsqueeze(0),
            token_type_ids=types,
            position_ids=rows.positions.unsqueeze(0),
        ).squeeze(0)
        layout = PackedLayout.of(rows.lengths, device=hidden.device)
        for layer in self.layers[:-1]:
            hidden = layer(hidden, layout)
        if self.reader is not None:
            hidden = self.layers[-1](hidden, layout)
            start, end = self.reader(hidden).unbind(-1)
            return {"start_logits": rows.unpack(start), "end_logits": rows.unpack(end)}
        # Only the first token's vector is read, so the last layer has one query per row.
        layout = PackedLayout.of(rows.lengths, only_first=True, device=hidden.device)
        first = rows.spread_first(self.layers[-1](hidden, layout, query_rows=rows.first_tokens))
        return {"logits": self.classifier(self.pooler(first.unsqueeze(1)))}


def is_packable(model: nn.Module) -> bool:
    """Tell whether `PackedDeberta` can run a module: DeBERTa-v2's classifier or reader, no convolution."""
    if not isinstance(model, (DebertaV2ForSequenceClassification, DebertaV2ForQuestionAnswering)):
        return False
    config: Any = model.config
    head_size = config.hidden_size // config.num_attention_heads
    has_usual_heads = getattr(config, "attention_head_size", head_size) == head_size
    has_convolution = getattr(config, "conv_kernel_size", 0) > 0
    return has_usual_heads and head_size <= MAX_HEAD_SIZE and not has_convolution


def packed_on_gpu(model: nn.Module) -> nn.Module:
    """Return a module's packed form where it is on CUDA, triton is there and it is packable; else itself."""
    is_on_gpu = next(model.parameters()).is_cuda
    if is_on_gpu and find_spec("triton") is not None and is_packable(model):
        return PackedDeberta(model)
    return model


def _relative_rows(encoder: Any, settings: RelativeSettings) -> Tensor | None:
    """Return the embeddings of relative positions in float32, normalised where the model does so."""
    if not settings.has_positions:
        return None
    rows: Tensor = encoder.rel_embeddings.weight.detach().float()[: settings.num_rows]
    if "layer_norm" not in encoder.norm_rel_ebd:
        return rows
    norm = encoder.LayerNorm
    return nn.functional.layer_norm(
        rows, norm.normalized_shape, norm.weight.detach().float(), norm.bias.detach().float(), norm.eps
    )

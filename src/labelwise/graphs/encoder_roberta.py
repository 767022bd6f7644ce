"""RoBERTa, XLM-RoBERTa and CamemBERT: BERT's layers, with positions counted past the padding id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from onnx import TensorProto

from labelwise.graphs.attention import write_plain_layers
from labelwise.graphs.encoder_bert import refuse_relative_positions, write_token_types
from labelwise.graphs.layer import TokenInputs
from labelwise.graphs.nodes import GraphWriter
from labelwise.graphs.settings import EncoderSettings, whole_number_in
from labelwise.graphs.tensors import CheckpointTensors
from labelwise.graphs.weighted import write_norm, write_rows

__all__ = ["write_roberta_encoder"]

_PAD_ID: Final = 1  # the families' default


def write_roberta_encoder(
    writer: GraphWriter,
    config: Mapping[str, Any],
    tensors: CheckpointTensors,
    inputs: TokenInputs,
    *,
    first_token_only: bool,
) -> str:
    """Write embeddings and layers: ``[batch * tokens, hidden]``, or ``[batch, hidden]`` of first tokens."""
    settings = EncoderSettings.from_config(config)
    refuse_relative_positions(config)
    embeddings = tensors.under("embeddings")
    size = settings.hidden_size
    words = embeddings.read("word_embeddings.weight", settings.vocab_size, size)
    positions = embeddings.read("position_embeddings.weight", settings.max_positions, size)
    summed = write_rows(writer, words, inputs.ids, name=embeddings.full_name("word_embeddings.weight"))
    table = writer.constant(embeddings.full_name("position_embeddings.weight"), positions)
    pad_id = whole_number_in(config, "pad_token_id", at_least=0, default=_PAD_ID)
    rows = writer.node("Gather", table, _write_positions(writer, inputs, pad_id))
    summed = write_token_types(writer, embeddings, writer.node("Add", summed, rows), inputs, settings)
    norm = embeddings.norm("LayerNorm", size=size)
    normed = write_norm(writer, summed, norm, epsilon=settings.norm_epsilon)
    hidden = writer.reshape(normed, -1, size)
    return write_plain_layers(writer, tensors, hidden, inputs, settings, first_token_only=first_token_only)


def _write_positions(writer: GraphWriter, inputs: TokenInputs, pad_id: int) -> str:
    """Count the tokens that are not padding from ``pad_id + 1`` on; padding stands at ``pad_id``."""
    pad = writer.index(pad_id)
    is_padding = writer.node("Equal", inputs.ids, pad)
    counts_one = writer.node("Cast", writer.node("Not", is_padding), to=TensorProto.INT64)
    counted = writer.node("CumSum", counts_one, writer.constant("axis_1", np.array(1, np.int64)))
    return writer.node("Add", writer.node("Mul", counted, counts_one), pad)

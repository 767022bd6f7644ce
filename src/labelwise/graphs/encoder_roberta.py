"""RoBERTa, XLM-RoBERTa and CamemBERT: BERT's layers, with positions counted past the padding id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from onnx import TensorProto

from labelwise.graphs.encoder_plain import write_plain_encoder
from labelwise.graphs.layer import TokenInputs
from labelwise.graphs.nodes import GraphWriter
from labelwise.graphs.settings import whole_number_in
from labelwise.graphs.tensors import CheckpointTensors, FloatArray

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
    pad_id = whole_number_in(config, "pad_token_id", at_least=0, default=_PAD_ID)

    def position_rows(table: FloatArray, name: str) -> str:
        return writer.node("Gather", writer.constant(name, table), _write_positions(writer, inputs, pad_id))

    return write_plain_encoder(
        writer, config, tensors, inputs, position_rows, first_token_only=first_token_only
    )


def _write_positions(writer: GraphWriter, inputs: TokenInputs, pad_id: int) -> str:
    """Count the tokens that are not padding from ``pad_id + 1`` on; padding stands at ``pad_id``."""
    pad = writer.index(pad_id)
    is_padding = writer.node("Equal", inputs.ids, pad)
    counts_one = writer.node("Cast", writer.node("Not", is_padding), to=TensorProto.INT64)
    counted = writer.node("CumSum", counts_one, writer.constant("axis_1", np.array(1, np.int64)))
    return writer.node("Add", writer.node("Mul", counted, counts_one), pad)

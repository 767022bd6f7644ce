"""BERT (arXiv 1810.04805): absolute positions, token types, plain attention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelwise.graphs.encoder_plain import write_plain_encoder
from labelwise.graphs.layer import TokenInputs
from labelwise.graphs.nodes import GraphWriter
from labelwise.graphs.tensors import CheckpointTensors, FloatArray
from labelwise.graphs.weighted import write_rows

__all__ = ["write_bert_encoder"]


def write_bert_encoder(
    writer: GraphWriter,
    config: Mapping[str, Any],
    tensors: CheckpointTensors,
    inputs: TokenInputs,
    *,
    first_token_only: bool,
) -> str:
    """Write embeddings and layers: ``[batch * tokens, hidden]``, or ``[batch, hidden]`` of first tokens."""

    def position_rows(table: FloatArray, name: str) -> str:
        if inputs.positions is None:
            return writer.slice(writer.constant(name, table), writer.integers(0), inputs.tokens, axis=0)
        return write_rows(writer, table, inputs.positions, name=name)

    return write_plain_encoder(
        writer, config, tensors, inputs, position_rows, first_token_only=first_token_only
    )

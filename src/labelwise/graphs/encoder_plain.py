"""What BERT's relatives have in common: summed embeddings, and layers of plain attention."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from labelwise.errors import CheckpointError
from labelwise.graphs.attention import write_plain_layers
from labelwise.graphs.layer import TokenInputs
from labelwise.graphs.nodes import GraphWriter
from labelwise.graphs.settings import EncoderSettings
from labelwise.graphs.tensors import CheckpointTensors, FloatArray
from labelwise.graphs.weighted import write_norm, write_rows

__all__ = ["PositionRows", "write_plain_encoder", "write_token_types"]

PositionRows = Callable[[FloatArray, str], str]
"""Takes each token's row of the position table, which comes with its name."""


def write_plain_encoder(
    writer: GraphWriter,
    config: Mapping[str, Any],
    tensors: CheckpointTensors,
    inputs: TokenInputs,
    write_position_rows: PositionRows,
    *,
    first_token_only: bool,
) -> str:
    """Write embeddings and layers: ``[batch * tokens, hidden]``, or ``[batch, hidden]`` of first tokens."""
    settings = EncoderSettings.from_config(config)
    _refuse_relative_positions(config)
    embeddings = tensors.under("embeddings")
    size = settings.hidden_size
    words = embeddings.read("word_embeddings.weight", settings.vocab_size, size)
    positions = embeddings.read("position_embeddings.weight", settings.max_positions, size)
    summed = write_rows(writer, words, inputs.ids, name=embeddings.full_name("word_embeddings.weight"))
    rows = write_position_rows(positions, embeddings.full_name("position_embeddings.weight"))
    summed = write_token_types(writer, embeddings, writer.node("Add", summed, rows), inputs, settings)
    norm = embeddings.norm("LayerNorm", size=size)
    normed = write_norm(writer, summed, norm, epsilon=settings.norm_epsilon)
    hidden = writer.reshape(normed, -1, size)
    return write_plain_layers(writer, tensors, hidden, inputs, settings, first_token_only=first_token_only)


def write_token_types(
    writer: GraphWriter,
    embeddings: CheckpointTensors,
    summed: str,
    inputs: TokenInputs,
    settings: EncoderSettings,
    *,
    size: int | None = None,
) -> str:
    """Add the embedding of each token's type; a single type is a constant, and none adds nothing."""
    if settings.type_vocab_size == 0:
        return summed
    table = embeddings.read(
        "token_type_embeddings.weight", settings.type_vocab_size, size or settings.hidden_size
    )
    name = embeddings.full_name("token_type_embeddings.weight")
    if inputs.token_types is None:
        return writer.node("Add", summed, writer.constant(name, table[0]))
    rows = writer.node("Gather", writer.constant(name, table), inputs.token_types)
    return writer.node("Add", summed, rows)


def _refuse_relative_positions(config: Mapping[str, Any]) -> None:
    kind = config.get("position_embedding_type", "absolute")
    if kind != "absolute":
        raise CheckpointError(
            f"config.json: position_embedding_type {kind!r} has no graph here; known is 'absolute'"
        )

"""DeBERTa-v2 and v3 (arXiv 2006.03654, 2111.09543): embeddings, layers and the optional convolution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labelwise.errors import CheckpointError
from labelwise.graphs.activations import write_activation
from labelwise.graphs.disentangled import DisentangledAttention
from labelwise.graphs.encoder_plain import write_token_types
from labelwise.graphs.layer import TokenInputs, write_first_rows, write_output_and_feed_forward
from labelwise.graphs.nodes import GraphWriter
from labelwise.graphs.settings import EncoderSettings, activation_in, whole_number_in
from labelwise.graphs.tensors import CheckpointTensors
from labelwise.graphs.weighted import write_norm, write_rows

__all__ = ["write_deberta_encoder"]


@dataclass(frozen=True, slots=True)
class _Convolution:
    """The convolution beside the first layer of deberta-v2-xlarge and larger."""

    kernel_size: int
    groups: int
    activation: str
    num_layers: int

    def __post_init__(self) -> None:
        if self.num_layers < 2:
            raise CheckpointError("config.json: conv_kernel_size needs at least two layers")
        if self.kernel_size % 2 == 0:
            raise CheckpointError(f"config.json: conv_kernel_size must be odd, not {self.kernel_size}")

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> _Convolution | None:
        kernel_size = whole_number_in(config, "conv_kernel_size", default=0)
        if kernel_size <= 0:
            return None
        groups = whole_number_in(config, "conv_groups", at_least=1, default=1)
        num_layers = whole_number_in(config, "num_hidden_layers")
        return cls(kernel_size, groups, activation_in(config, "conv_act", default="tanh"), num_layers)


def write_deberta_encoder(
    writer: GraphWriter,
    config: Mapping[str, Any],
    tensors: CheckpointTensors,
    inputs: TokenInputs,
    *,
    first_token_only: bool,
) -> str:
    """Write embeddings and layers: ``[batch * tokens, hidden]``, or ``[batch, hidden]`` of first tokens."""
    settings = EncoderSettings.from_config(config)
    convolution = _Convolution.from_config(config)
    embedded = _write_embeddings(writer, config, tensors.under("embeddings"), inputs, settings)
    encoder = tensors.under("encoder")
    attention = DisentangledAttention.prepare(writer, config, encoder, inputs, settings)
    hidden = embedded
    for number in range(settings.num_layers):
        layer = encoder.under(f"layer.{number}")
        is_last = number == settings.num_layers - 1
        first_rows = write_first_rows(writer, inputs, hidden) if first_token_only and is_last else None
        context = attention.write(layer.under("attention.self"), hidden, first_rows)
        residual = hidden if first_rows is None else first_rows
        hidden = write_output_and_feed_forward(writer, layer, context, residual, settings)
        if convolution is not None and number == 0:
            conv = encoder.under("conv")
            hidden = _write_convolution(writer, conv, embedded, hidden, inputs, settings, convolution)
    return hidden


def _write_embeddings(
    writer: GraphWriter,
    config: Mapping[str, Any],
    embeddings: CheckpointTensors,
    inputs: TokenInputs,
    settings: EncoderSettings,
) -> str:
    """Write the embedded tokens, ``[batch * tokens, hidden]``.

    transformers also zeroes the rows of padding; attention never reads them, only the convolution would.
    """
    size = whole_number_in(config, "embedding_size", at_least=1, default=settings.hidden_size)
    words = embeddings.read("word_embeddings.weight", settings.vocab_size, size)
    summed = write_rows(writer, words, inputs.ids, name=embeddings.full_name("word_embeddings.weight"))
    if config.get("position_biased_input", True):
        positions = embeddings.read("position_embeddings.weight", settings.max_positions, size)
        table = writer.constant(embeddings.full_name("position_embeddings.weight"), positions)
        rows = writer.slice(table, writer.integers(0), inputs.tokens, axis=0)
        summed = writer.node("Add", summed, rows)
    summed = write_token_types(writer, embeddings, summed, inputs, settings, size=size)
    if size != settings.hidden_size:
        projection = embeddings.read("embed_proj.weight", settings.hidden_size, size)
        name = embeddings.full_name("embed_proj.weight")
        summed = writer.node("MatMul", summed, writer.constant(name, projection.T))
    norm = embeddings.norm("LayerNorm", size=settings.hidden_size)
    normed = write_norm(writer, summed, norm, epsilon=settings.norm_epsilon)
    return writer.reshape(normed, -1, settings.hidden_size)


def _write_convolution(
    writer: GraphWriter,
    tensors: CheckpointTensors,
    embedded: str,
    hidden: str,
    inputs: TokenInputs,
    settings: EncoderSettings,
    convolution: _Convolution,
) -> str:
    """Write norm(hidden + activation(convolution over the embedded tokens)); padding counts as zero."""
    size = settings.hidden_size
    weight = tensors.read("conv.weight", size, size // convolution.groups, convolution.kernel_size)
    bias = tensors.read("conv.bias", size)
    by_text = writer.node("Reshape", embedded, writer.shape(inputs.batch, inputs.tokens, size))
    without_padding = writer.node("Mul", by_text, writer.node("Unsqueeze", inputs.mask, writer.integers(2)))
    padding = (convolution.kernel_size - 1) // 2
    convolved = writer.node(
        "Conv",
        writer.node("Transpose", without_padding, perm=[0, 2, 1]),
        writer.constant(tensors.full_name("conv.weight"), weight),
        writer.constant(tensors.full_name("conv.bias"), bias),
        group=convolution.groups,
        kernel_shape=[convolution.kernel_size],
        pads=[padding, padding],
    )
    rows = writer.reshape(writer.node("Transpose", convolved, perm=[0, 2, 1]), -1, size)
    total = writer.node("Add", hidden, write_activation(writer, rows, convolution.activation))
    norm = tensors.norm("LayerNorm", size=size)
    return write_norm(writer, total, norm, epsilon=settings.norm_epsilon)

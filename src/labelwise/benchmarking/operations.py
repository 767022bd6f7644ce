"""How much arithmetic an encoder's answer takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labelwise.errors import CheckpointError
from labelwise.graphs.nested import encoder_config_of
from labelwise.graphs.settings import EncoderSettings

__all__ = ["layer_shapes", "useful_operations"]


def useful_operations(config: Mapping[str, Any], row_lengths: Sequence[int]) -> float | None:
    """Count the floating-point operations of the encoder's layers on rows without padding.

    A multiplication and an addition are two. Every layer counts whole; what depends on the weights alone
    (the projected position tables of DeBERTa), embeddings, norms and heads do not count.

    Args:
        config: of the checkpoint.
        row_lengths: tokens of each row, control tokens included.

    Returns:
        None for a family whose sizes are not known.
    """
    encoder = _encoder(config)
    if encoder is None:
        return None
    shapes = layer_shapes(config)
    per_token = sum(2 * rows * columns for rows, columns in shapes)
    # Queries by keys and weights by values; DeBERTa adds a product for each position term.
    terms = 2 + len(_position_terms(encoder_config_of(config)))
    per_square = 2 * encoder.hidden_size * terms
    of_layer = sum(per_token * length + per_square * length * length for length in row_lengths)
    return float(encoder.num_layers * of_layer)


def layer_shapes(config: Mapping[str, Any]) -> list[tuple[int, int]]:
    """Return the (inputs, outputs) of a layer's linear maps, empty for an unknown family."""
    encoder = _encoder(config)
    if encoder is None:
        return []
    width, inner = encoder.hidden_size, encoder.intermediate_size
    return [(width, 3 * width), (width, width), (width, inner), (inner, width)]


def _encoder(config: Mapping[str, Any]) -> EncoderSettings | None:
    try:
        return EncoderSettings.from_config(encoder_config_of(config))
    except CheckpointError:
        return None


def _position_terms(config: Mapping[str, Any]) -> list[str]:
    if config.get("model_type") != "deberta-v2" or not config.get("relative_attention"):
        return []
    terms = config.get("pos_att_type") or []
    return terms.split("|") if isinstance(terms, str) else list(terms)

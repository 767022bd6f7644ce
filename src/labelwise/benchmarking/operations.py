"""How much arithmetic an encoder's answer takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labelwise.benchmarking.row_demand import RowDemand
from labelwise.errors import CheckpointError
from labelwise.graphs.nested import encoder_config_of
from labelwise.graphs.settings import EncoderSettings

__all__ = ["layer_shapes", "useful_operations"]


def useful_operations(config: Mapping[str, Any], rows: Sequence[RowDemand]) -> float | None:
    """Count the floating-point operations that the encoder's layers must do on rows without padding.

    A multiplication and an addition are two. In the last layer, all but keys and values counts only for the
    tokens whose states the head reads; attention counts only for tokens that see each other. What depends on
    the weights alone (the projected position tables of DeBERTa), embeddings, norms and heads do not count.

    Args:
        config: of the checkpoint.
        rows: what each row asks of the encoder.

    Returns:
        None for a family whose sizes are not known.
    """
    encoder = _encoder(config)
    if encoder is None:
        return None
    width, inner = encoder.hidden_size, encoder.intermediate_size
    # Queries by keys and weights by values; DeBERTa adds a product for each position term.
    per_pair = 2 * width * (2 + len(_position_terms(encoder_config_of(config))))
    per_key = 2 * width * 2 * width
    per_query = 2 * (2 * width * width + 2 * width * inner)
    keys = sum(row.num_tokens for row in rows)
    inside = keys * (per_query + per_key) + sum(row.num_pairs for row in rows) * per_pair
    last = (
        keys * per_key
        + sum(row.num_read for row in rows) * per_query
        + sum(row.num_pairs_read for row in rows) * per_pair
    )
    return float((encoder.num_layers - 1) * inside + last)


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

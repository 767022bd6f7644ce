"""What is known of the published encoder families, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelwise.graphs.nested import JOINT_FAMILIES, encoder_config_of

__all__ = ["NATIVE_FAMILIES", "pad_token_id", "window_tokens"]

# Families that transformers or labelwise implements: a checkpoint's own code ("auto_map") is not needed.
# fmt: off
NATIVE_FAMILIES = frozenset({
    "albert", "bart", "bert", "big_bird", "camembert", "convbert", "data2vec-text", "deberta",
    "deberta-v2", "distilbert", "electra", "ernie", "esm", "eurobert", "flaubert", "fnet", "funnel",
    "ibert", "layoutlm", "led", "longformer", "luke", "mbart", "megatron-bert", "mobilebert",
    "modernbert", "mpnet", "mra", "nystromformer", "rembert", "roberta", "roberta-prelayernorm",
    "roformer", "squeezebert", "t5", "xlm", "xlm-roberta", "xlm-roberta-xl", "xlnet", "xmod", "yoso",
    "gliznet", "GLiClass", "labelwise-multitask",  # labelwise.models
})

# These count positions from padding_idx + 1, so their table has that many rows more than usable positions.
_OFFSET_POSITIONS = frozenset({
    "camembert", "data2vec-text", "ibert", "longformer", "mpnet", "roberta", "roberta-prelayernorm",
    "xlm-roberta", "xlm-roberta-xl", "xmod"
})
# fmt: on
_DEFAULT_PAD_IDS = {"bart": 1, "mbart": 1, "led": 1, "modernbert": 50283, "xlm": 2, "xlnet": 5}
_DEFAULT_WINDOW_TOKENS = 512
# The gliclass package's pipelines read no more, whatever the encoder could.
_LARGEST_GLICLASS_WINDOW = 1024
# Tokenizers without a limit publish 1e30.
_LARGEST_SANE_WINDOW = 1_000_000


def pad_token_id(config: Mapping[str, Any]) -> int:
    """Return the id that fills a row up to its batch's length."""
    encoder = encoder_config_of(config)
    value = encoder.get("pad_token_id")
    if isinstance(value, int):
        return value
    family = encoder.get("model_type")
    return 1 if family in _OFFSET_POSITIONS else _DEFAULT_PAD_IDS.get(str(family), 0)


def window_tokens(config: Mapping[str, Any], tokenizer_config: Mapping[str, Any]) -> int:
    """Return how many tokens one row may hold: the tokenizer's limit or the position table's, the smaller."""
    encoder = encoder_config_of(config)
    limits = []
    positions = _sane(encoder.get("max_position_embeddings"))
    if positions is not None and not (_is_joint(config) and _knows_distances_only(encoder)):
        has_offset = encoder.get("model_type") in _OFFSET_POSITIONS
        limits.append(positions - (pad_token_id(config) + 1 if has_offset else 0))
    declared = _sane(tokenizer_config.get("model_max_length"))
    if declared is not None:
        limits.append(declared)
    elif config.get("model_type") == "gliznet":
        limits.append(_DEFAULT_WINDOW_TOKENS)
    if config.get("model_type") == "GLiClass":
        limits.append(_LARGEST_GLICLASS_WINDOW)
    return min(limits, default=_DEFAULT_WINDOW_TOKENS)


def _is_joint(config: Mapping[str, Any]) -> bool:
    return config.get("model_type") in JOINT_FAMILIES


def _knows_distances_only(encoder: Mapping[str, Any]) -> bool:
    """Tell whether no position table bounds the row: published joint models read past DeBERTa's 512."""
    return encoder.get("model_type") == "deberta-v2" and encoder.get("position_biased_input") is False


def _sane(value: Any) -> int | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if is_number and 2 < value <= _LARGEST_SANE_WINDOW else None

"""The encoder inside a joint model: its own configuration and where its weights stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["JOINT_FAMILIES", "MULTITASK_FAMILY", "encoder_config_of", "encoder_prefix_of"]

# Our own: a BERT encoder with three heads, all in one configuration.
MULTITASK_FAMILY: Final = "labelwise-multitask"

# model_type -> where config.json holds the encoder's configuration, and the prefix of its weights.
JOINT_FAMILIES: Final[Mapping[str, tuple[str, str]]] = {
    "gliznet": ("backbone_config", "backbone"),
    "GLiClass": ("encoder_config", "model.encoder_model"),
}
_BERT_BASE: Final = {
    "vocab_size": 30522,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "pad_token_id": 0,
}
# transformers leaves out of a nested configuration what equals its class's default.
_DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "deberta-v2": {
        "vocab_size": 128100,
        "hidden_size": 1536,
        "num_hidden_layers": 24,
        "num_attention_heads": 24,
        "intermediate_size": 6144,
        "max_position_embeddings": 512,
        "type_vocab_size": 0,
        "pad_token_id": 0,
    },
    "bert": _BERT_BASE,
    "roberta": {**_BERT_BASE, "vocab_size": 50265, "pad_token_id": 1},
    "xlm-roberta": {**_BERT_BASE, "pad_token_id": 1},
    "camembert": {**_BERT_BASE, "pad_token_id": 1},
}


def encoder_config_of(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the encoder's configuration out of a joint model's; every other config is its own."""
    family = str(config.get("model_type"))
    if family == MULTITASK_FAMILY:
        return {**config, "model_type": "bert"}
    if family not in JOINT_FAMILIES:
        return config
    nested = config.get(JOINT_FAMILIES[family][0])
    nested = nested if isinstance(nested, Mapping) else {}
    # The first GLiClass checkpoints leave the type out; they were all DeBERTa.
    encoder_family = nested.get("model_type") or ("deberta-v2" if family == "GLiClass" else None)
    encoder = {**_DEFAULTS.get(str(encoder_family), {}), **nested, "model_type": encoder_family}
    if family == "GLiClass" and isinstance(config.get("vocab_size"), int):
        # Tokens were added to the encoder's vocabulary: this number, not the encoder's own, counts.
        encoder["vocab_size"] = config["vocab_size"]
    return encoder


def encoder_prefix_of(config: Mapping[str, Any]) -> str | None:
    """Return the prefix of the encoder's weights in a joint or multi-task model; None for other models."""
    if config.get("model_type") == MULTITASK_FAMILY:
        return "encoder"
    entry = JOINT_FAMILIES.get(str(config.get("model_type")))
    return None if entry is None else entry[1]

"""What the builders need from config.json, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from labelwise.errors import CheckpointError
from labelwise.graphs.activations import KNOWN_ACTIVATIONS

__all__ = ["EncoderSettings", "activation_in", "num_classes_in", "whole_number_in"]

_DEFAULT_NUM_CLASSES: Final = 2  # transformers' own, when config.json names neither labels nor a number


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """The sizes that every family has."""

    family: str
    vocab_size: int
    hidden_size: int
    num_layers: int
    num_heads: int
    intermediate_size: int
    max_positions: int
    type_vocab_size: int
    norm_epsilon: float
    activation: str

    def __post_init__(self) -> None:
        if self.hidden_size % self.num_heads:
            raise CheckpointError(
                f"config.json: hidden_size {self.hidden_size} is not a multiple of "
                f"num_attention_heads {self.num_heads}"
            )

    @property
    def head_size(self) -> int:
        """Width of one attention head."""
        return self.hidden_size // self.num_heads

    @property
    def has_token_types(self) -> bool:
        """Whether the graph needs ``token_type_ids``: with a single type there is nothing to tell apart."""
        return self.type_vocab_size > 1

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> EncoderSettings:
        """Read the sizes.

        Raises:
            CheckpointError: a size is missing or not a whole number, or the model is a decoder.
        """
        for flag in ("is_decoder", "add_cross_attention"):
            if config.get(flag):
                raise CheckpointError(
                    f"config.json sets {flag}: only encoders can be built, use another model"
                )
        family = str(config.get("model_type"))
        default_types, default_epsilon = (0, 1e-7) if family == "deberta-v2" else (2, 1e-12)
        return cls(
            family=family,
            vocab_size=whole_number_in(config, "vocab_size", at_least=1),
            hidden_size=whole_number_in(config, "hidden_size", at_least=1),
            num_layers=whole_number_in(config, "num_hidden_layers", at_least=1),
            num_heads=whole_number_in(config, "num_attention_heads", at_least=1),
            intermediate_size=whole_number_in(config, "intermediate_size", at_least=1),
            max_positions=whole_number_in(config, "max_position_embeddings", at_least=1, default=512),
            type_vocab_size=whole_number_in(config, "type_vocab_size", at_least=0, default=default_types),
            norm_epsilon=float(config.get("layer_norm_eps", default_epsilon)),
            activation=activation_in(config, "hidden_act"),
        )


def whole_number_in(
    config: Mapping[str, Any], key: str, *, at_least: int | None = None, default: int | None = None
) -> int:
    """Read a whole number from config.json.

    Raises:
        CheckpointError: it is missing without a default, not a whole number, or too small.
    """
    value = config.get(key)
    value = default if value is None else value
    if not isinstance(value, int) or isinstance(value, bool):
        raise CheckpointError(f"config.json: {key} must be a whole number, not {value!r}")
    if at_least is not None and value < at_least:
        raise CheckpointError(f"config.json: {key} must be at least {at_least}, not {value}")
    return value


def activation_in(config: Mapping[str, Any], key: str, *, default: str = "gelu") -> str:
    """Read the name of an activation that the builders know.

    Raises:
        CheckpointError: they do not know it.
    """
    value = config.get(key, default)
    if value not in KNOWN_ACTIVATIONS:
        known = ", ".join(sorted(KNOWN_ACTIVATIONS))
        raise CheckpointError(f"config.json: {key} {value!r} has no graph here; known are {known}")
    return str(value)


def num_classes_in(config: Mapping[str, Any]) -> int:
    """Count the classes: by label names, else by ``num_labels``."""
    labels = config.get("id2label")
    if isinstance(labels, Mapping) and labels:
        return len(labels)
    return whole_number_in(config, "num_labels", at_least=1, default=_DEFAULT_NUM_CLASSES)

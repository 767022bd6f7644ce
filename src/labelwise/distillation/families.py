"""Where each family keeps its depth in config.json and its layers among the tensor names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from labelwise.errors import CheckpointError

__all__ = ["LayerStack", "config_int", "family_of", "stacks_of"]

Side = Literal["encoder", "decoder"]


@dataclass(frozen=True, slots=True)
class LayerStack:
    """One column of layers: its side, its key in config.json, and the names of its tensors."""

    side: Side
    depth_key: str
    layer_name: re.Pattern[str]

    def depth(self, config: Mapping[str, Any]) -> int:
        """Return the number of layers that a configuration announces.

        Raises:
            CheckpointError: it announces none.
        """
        return config_int(config, self.depth_key)


def _stack(side: Side, depth_key: str, before_index: str) -> LayerStack:
    return LayerStack(side, depth_key, re.compile(rf"((?:\w+\.)?{before_index}\.)(\d+)(\..+)"))


_ENCODER_ONLY = (_stack("encoder", "num_hidden_layers", r"encoder\.layer"),)
_STACKS: dict[str, tuple[LayerStack, ...]] = {
    "bart": (
        _stack("encoder", "encoder_layers", r"encoder\.layers"),
        _stack("decoder", "decoder_layers", r"decoder\.layers"),
    ),
    "deberta-v2": _ENCODER_ONLY,
    "bert": _ENCODER_ONLY,
    "roberta": _ENCODER_ONLY,
    "xlm-roberta": _ENCODER_ONLY,
    "modernbert": (_stack("encoder", "num_hidden_layers", "layers"),),
}


def family_of(config: Mapping[str, Any]) -> str:
    """Return the family of a configuration that can be shrunk.

    Raises:
        CheckpointError: it belongs to no such family.
    """
    family = config.get("model_type")
    if family not in _STACKS:
        raise CheckpointError(
            f"layers of the family {family!r} cannot be copied: use one of {', '.join(sorted(_STACKS))}"
        )
    return str(family)


def stacks_of(config: Mapping[str, Any]) -> tuple[LayerStack, ...]:
    """Return the family's columns of layers, the encoder first.

    Raises:
        CheckpointError: the family cannot be shrunk.
    """
    return _STACKS[family_of(config)]


def config_int(config: Mapping[str, Any], key: str, default: int | None = None) -> int:
    """Return a whole number above 0 from a configuration.

    Raises:
        CheckpointError: it is missing without a default, or not such a number.
    """
    value = config.get(key, default)
    if type(value) is not int or value < 1:
        raise CheckpointError(f"config.json has {key} = {value!r}: a whole number above 0 is needed")
    return value

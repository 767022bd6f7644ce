"""From config.json and weights to an encoder with its head in the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from labelwise.engine.native import (
    ATTENTION_OUTPUT,
    DOWN,
    QUERY_KEY_VALUE,
    UP,
    EncoderShape,
    NativeEncoder,
    WordTable,
)
from labelwise.engine.small_weights import SmallWeight, shrink_weight
from labelwise.engine.stored_layers import StoredLayers
from labelwise.errors import CheckpointError
from labelwise.graphs.settings import EncoderSettings
from labelwise.graphs.tensors import Affine, CheckpointTensors

if TYPE_CHECKING:
    from labelwise.engine.position_tables import PositionProjections

__all__ = ["PREFIXES", "LayerNames", "assemble_encoder"]

FloatArray = NDArray[np.float32]
# Weight and bias of each of a layer's linear layers.
Linears = Mapping[int, tuple[FloatArray | SmallWeight, FloatArray]]

# model_type -> the prefix of the encoder's tensors.
PREFIXES: Final = {
    "deberta-v2": "deberta",
    "bert": "bert",
    "roberta": "roberta",
    "xlm-roberta": "roberta",
    "camembert": "roberta",
}


@dataclass(frozen=True, slots=True)
class LayerNames:
    """What a family calls the projections of its attention."""

    query: str
    key: str
    value: str

    @classmethod
    def of(cls, family: str) -> LayerNames:
        """Return a family's names."""
        ending = "_proj" if family == "deberta-v2" else ""
        return cls(*(f"attention.self.{name}{ending}" for name in ("query", "key", "value")))


def assemble_encoder(
    config: Mapping[str, Any],
    tensors: CheckpointTensors,
    *,
    threads: int,
    num_top_layers: int,
    group_size: int | None,
    words: WordTable,
    stored: StoredLayers | None = None,
) -> NativeEncoder:
    """Fill an encoder.

    Args:
        config: The encoder's config.json.
        tensors: The encoder's own tensors, without its prefix.
        threads: How many threads one call uses.
        num_top_layers: Linear layers of the head, which the caller sets.
        group_size: Inputs per scale where the layers' products run in 8 bits; None for float32.
        words: The word embeddings, which stay where they are.
        stored: The layers where they are stored in 8 bits; they are taken as they are.

    Raises:
        CheckpointError: the engine does not know a setting, or a tensor is missing or has the wrong shape.
    """
    settings = EncoderSettings.from_config(config)
    _refuse_unknown(config, settings)
    encoder = NativeEncoder(
        EncoderShape(
            hidden_size=settings.hidden_size,
            num_heads=settings.num_heads,
            intermediate_size=settings.intermediate_size,
            num_layers=settings.num_layers,
            norm_epsilon=settings.norm_epsilon,
            num_top_layers=num_top_layers,
        ),
        threads=threads,
    )
    _set_embeddings(encoder, config, tensors.under("embeddings"), settings, words)
    layers = tensors.under("encoder")
    positions = None
    if settings.family == "deberta-v2":
        # Other families do without, and start sooner.
        from labelwise.engine.position_tables import PositionProjections

        positions = PositionProjections.prepare(config, layers, settings)
    for number in range(settings.num_layers):
        layer = layers.under(f"layer.{number}")
        linears: Linears = (
            _read_linears(encoder, number, layer, settings, positions, group_size=group_size)
            if stored is None
            else stored.linears(number)
        )
        for which, (weight, bias) in linears.items():
            encoder.set_layer(number, which, weight, bias, settings.activation if which == UP else "none")
        norms = (
            layer.norm(name, size=settings.hidden_size)
            for name in ("attention.output.LayerNorm", "output.LayerNorm")
        )
        encoder.set_norms(number, *((norm.weight, norm.bias) for norm in norms))
    return encoder


def _refuse_unknown(config: Mapping[str, Any], settings: EncoderSettings) -> None:
    """Refuse what would be computed wrongly; activations are checked with the sizes."""
    known: dict[str, tuple[Any, ...]] = {
        "position_embedding_type": (None, "absolute"),
        "conv_kernel_size": (None, 0),
        "embedding_size": (None, settings.hidden_size),
    }
    for key, values in known.items():
        value = config.get(key)
        is_off = key == "conv_kernel_size" and isinstance(value, int) and value <= 0
        if value not in values and not is_off:
            raise CheckpointError(f"config.json: {key} {value!r} is not known to the packed engine")
    if settings.family not in PREFIXES:
        raise CheckpointError(f"the packed engine does not know model_type {settings.family!r}")


def _set_embeddings(
    encoder: NativeEncoder,
    config: Mapping[str, Any],
    tensors: CheckpointTensors,
    settings: EncoderSettings,
    words: WordTable,
) -> None:
    size = settings.hidden_size
    has_positions = settings.family != "deberta-v2" or config.get("position_biased_input", True)
    positions = types = None
    if has_positions:
        positions = tensors.read("position_embeddings.weight", settings.max_positions, size)
    if settings.type_vocab_size:
        types = tensors.read("token_type_embeddings.weight", settings.type_vocab_size, size)
    norm = tensors.norm("LayerNorm", size=size)
    encoder.set_embeddings(words, positions=positions, types=types, norm=(norm.weight, norm.bias))


def _read_linears(
    encoder: NativeEncoder,
    number: int,
    tensors: CheckpointTensors,
    settings: EncoderSettings,
    positions: PositionProjections | None,
    *,
    group_size: int | None,
) -> Linears:
    """Read a layer's float weights, giving the encoder its tables of positions on the way."""
    size, inner = settings.hidden_size, settings.intermediate_size
    names = LayerNames.of(settings.family)
    query, key, value = (
        tensors.linear(name, size_in=size, size_out=size) for name in (names.query, names.key, names.value)
    )
    # The scale of the scores stands in the queries, those of the content and those of the positions.
    score_kinds = 1 if positions is None else positions.num_score_kinds
    factor = float((settings.head_size * score_kinds) ** -0.5)
    if positions is not None:
        positions.set_tables(encoder, number, tensors.under("attention.self"), query, key, factor=factor)
    joined = Affine(
        "",
        np.concatenate([query.weight * np.float32(factor), key.weight, value.weight]),
        np.concatenate([query.bias * np.float32(factor), key.bias, value.bias]),
    )
    linears = {
        QUERY_KEY_VALUE: joined,
        ATTENTION_OUTPUT: tensors.linear("attention.output.dense", size_in=size, size_out=size),
        UP: tensors.linear("intermediate.dense", size_in=size, size_out=inner),
        DOWN: tensors.linear("output.dense", size_in=inner, size_out=size),
    }
    if group_size is None:
        return {which: (linear.weight, linear.bias) for which, linear in linears.items()}
    return {
        which: (shrink_weight(linear.weight, group_size=group_size), linear.bias)
        for which, linear in linears.items()
    }

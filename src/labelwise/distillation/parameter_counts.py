"""How many parameters a model has, from its configuration alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from labelwise.distillation.families import config_int, family_of
from labelwise.errors import CheckpointError

__all__ = ["ParameterCounts", "count_parameters"]

# BART's position tables begin with rows that no position uses.
_BART_UNUSED_POSITIONS = 2


@dataclass(frozen=True, slots=True)
class ParameterCounts:
    """Parameters by part; embeddings hold the token, position and type tables with their norms."""

    embeddings: int
    encoder: int
    decoder: int
    head: int

    @property
    def total(self) -> int:
        """All of them; a tied table counts once."""
        return self.embeddings + self.encoder + self.decoder + self.head

    def to_dict(self) -> dict[str, int]:
        """Return the parts and ``total``."""
        return {**asdict(self), "total": self.total}


def count_parameters(config: Mapping[str, Any]) -> ParameterCounts:
    """Count a model's parameters without its weights.

    The head is that of ``architectures``; a configuration without that field counts as a sequence classifier.

    Raises:
        CheckpointError: the family or head is unknown, or a number is missing or senseless.
    """
    family = family_of(config)
    return _COUNTERS[family](config, _head_of(config))


def _head_of(config: Mapping[str, Any]) -> str:
    architectures = config.get("architectures") or ["ForSequenceClassification"]
    name = str(architectures[0])
    for head in ("ForSequenceClassification", "ForQuestionAnswering", "Model"):
        if name.endswith(head):
            return head
    raise CheckpointError(
        f"the architecture {name!r} cannot be shrunk: use a sequence classifier, a reader or a bare encoder"
    )


def _num_classes(config: Mapping[str, Any], head: str) -> int:
    if head == "ForQuestionAnswering":
        return 2
    names = config.get("id2label")
    return len(names) if isinstance(names, dict) and names else config_int(config, "num_labels", 2)


def _linear(inputs: int, outputs: int, *, has_bias: bool = True) -> int:
    return inputs * outputs + (outputs if has_bias else 0)


def _norm(width: int, *, has_bias: bool = True) -> int:
    return width * (2 if has_bias else 1)


def _count_bart(config: Mapping[str, Any], head: str) -> ParameterCounts:
    width = config_int(config, "d_model")
    positions = config_int(config, "max_position_embeddings", 1024) + _BART_UNUSED_POSITIONS
    attention = 4 * _linear(width, width) + _norm(width)

    def feed_forward(side: str) -> int:
        inner = config_int(config, f"{side}_ffn_dim")
        return _linear(width, inner) + _linear(inner, width) + _norm(width)

    heads = {
        "ForSequenceClassification": _linear(width, width) + _linear(width, _num_classes(config, head)),
        "ForQuestionAnswering": _linear(width, 2),
        "Model": 0,
    }
    return ParameterCounts(
        embeddings=config_int(config, "vocab_size") * width + 2 * (positions * width + _norm(width)),
        encoder=config_int(config, "encoder_layers") * (attention + feed_forward("encoder")),
        decoder=config_int(config, "decoder_layers") * (2 * attention + feed_forward("decoder")),
        head=heads[head],
    )


def _transformer_layer(config: Mapping[str, Any]) -> int:
    """Return a layer of BERT's shape: attention, then a feed-forward part, a norm after each."""
    width, inner = config_int(config, "hidden_size"), config_int(config, "intermediate_size")
    return 4 * _linear(width, width) + _linear(width, inner) + _linear(inner, width) + 2 * _norm(width)


def _count_bert(config: Mapping[str, Any], head: str) -> ParameterCounts:
    width = config_int(config, "hidden_size")
    rows = (
        config_int(config, "vocab_size")
        + config_int(config, "max_position_embeddings", 512)
        + config_int(config, "type_vocab_size", 2)
    )
    dense, classifier = _linear(width, width), _linear(width, _num_classes(config, head))
    # RoBERTa's classifier has a dense layer of its own in the place of BERT's pooler: the same number.
    heads = {
        "ForSequenceClassification": dense + classifier,
        "ForQuestionAnswering": classifier,
        "Model": dense,
    }
    return ParameterCounts(
        embeddings=rows * width + _norm(width),
        encoder=config_int(config, "num_hidden_layers") * _transformer_layer(config),
        decoder=0,
        head=heads[head],
    )


def _count_deberta(config: Mapping[str, Any], head: str) -> ParameterCounts:
    width = config_int(config, "hidden_size")
    pooler = config_int(config, "pooler_hidden_size", width)
    classifier = _linear(width, _num_classes(config, head))
    heads = {
        "ForSequenceClassification": _linear(pooler, pooler) + classifier,
        "ForQuestionAnswering": classifier,
        "Model": 0,
    }
    return ParameterCounts(
        embeddings=_deberta_embeddings(config, width),
        encoder=_deberta_encoder(config, width),
        decoder=0,
        head=heads[head],
    )


def _deberta_embeddings(config: Mapping[str, Any], width: int) -> int:
    table_width = config_int(config, "embedding_size", width)
    rows = config_int(config, "vocab_size") + _int_or_zero(config, "type_vocab_size")
    if config.get("position_biased_input", True):
        rows += config_int(config, "max_position_embeddings", 512)
    projection = _linear(table_width, width, has_bias=False) if table_width != width else 0
    return rows * table_width + projection + _norm(width)


def _deberta_encoder(config: Mapping[str, Any], width: int) -> int:
    layer = _transformer_layer(config)
    shared = _norm(width) if "layer_norm" in str(config.get("norm_rel_ebd", "none")).lower() else 0
    if config.get("relative_attention"):
        shared += 2 * _relative_positions(config) * width
        if not config.get("share_att_key"):
            kinds = config.get("pos_att_type") or ()
            layer += sum(kind in kinds for kind in ("c2p", "p2c")) * _linear(width, width)
    kernel = _int_or_zero(config, "conv_kernel_size")
    if kernel > 0:
        shared += _convolution(config, width, kernel)
    return config_int(config, "num_hidden_layers") * layer + shared


def _int_or_zero(config: Mapping[str, Any], key: str) -> int:
    """Return a number that stands for a part which may be absent, as 0 or not at all."""
    return config_int(config, key) if config.get(key) else 0


def _relative_positions(config: Mapping[str, Any]) -> int:
    for key in ("position_buckets", "max_relative_positions"):
        value = config.get(key, -1)
        if isinstance(value, int) and value > 0:
            return value
    return config_int(config, "max_position_embeddings", 512)


def _convolution(config: Mapping[str, Any], width: int, kernel: int) -> int:
    groups = config_int(config, "conv_groups", 1)
    return width * (width // groups) * kernel + width + _norm(width)


def _count_modernbert(config: Mapping[str, Any], head: str) -> ParameterCounts:
    width, inner = config_int(config, "hidden_size"), config_int(config, "intermediate_size")
    norm = _norm(width, has_bias=bool(config.get("norm_bias", False)))
    has_attention_bias = bool(config.get("attention_bias", False))
    has_mlp_bias = bool(config.get("mlp_bias", False))
    attention = _linear(width, 3 * width, has_bias=has_attention_bias) + _linear(
        width, width, has_bias=has_attention_bias
    )
    mlp = _linear(width, 2 * inner, has_bias=has_mlp_bias) + _linear(inner, width, has_bias=has_mlp_bias)
    depth = config_int(config, "num_hidden_layers")
    dense = _linear(width, width, has_bias=bool(config.get("classifier_bias", False))) + norm
    return ParameterCounts(
        embeddings=config_int(config, "vocab_size") * width + norm,
        # Layer 0 has no norm before its attention, but a final norm follows the last layer: two a layer.
        encoder=depth * (attention + mlp + 2 * norm),
        decoder=0,
        head=0 if head == "Model" else dense + _linear(width, _num_classes(config, head)),
    )


_COUNTERS: dict[str, Callable[[Mapping[str, Any], str], ParameterCounts]] = {
    "bart": _count_bart,
    "bert": _count_bert,
    "roberta": _count_bert,
    "xlm-roberta": _count_bert,
    "deberta-v2": _count_deberta,
    "modernbert": _count_modernbert,
}

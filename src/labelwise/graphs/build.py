"""From config.json and weights to a finished graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, get_args

from onnx import ModelProto

from labelwise.errors import CheckpointError, InputError
from labelwise.graphs.encoder_bert import write_bert_encoder
from labelwise.graphs.encoder_deberta import write_deberta_encoder
from labelwise.graphs.encoder_roberta import write_roberta_encoder
from labelwise.graphs.families import HAS_BUILDER, HeadKind, WeightFormat
from labelwise.graphs.heads import write_class_logits, write_span_logits
from labelwise.graphs.joint_heads import write_joint_logits
from labelwise.graphs.layer import TokenInputs
from labelwise.graphs.multitask_heads import write_multitask_logits
from labelwise.graphs.nested import JOINT_FAMILIES, MULTITASK_FAMILY, encoder_config_of, encoder_prefix_of
from labelwise.graphs.nodes import GraphWriter
from labelwise.graphs.settings import EncoderSettings
from labelwise.graphs.tensors import CheckpointTensors, FloatArray

__all__ = ["build_model"]

_ENCODERS: Final[Mapping[str, tuple[str, Callable[..., str]]]] = {
    "deberta-v2": ("deberta", write_deberta_encoder),
    "bert": ("bert", write_bert_encoder),
    "roberta": ("roberta", write_roberta_encoder),
    "xlm-roberta": ("roberta", write_roberta_encoder),
    "camembert": ("roberta", write_roberta_encoder),
}


def build_model(
    config: Mapping[str, Any],
    tensors: Mapping[str, FloatArray],
    *,
    head: HeadKind,
    fused: bool,
    weights: WeightFormat,
) -> ModelProto:
    """Build the graph; see ``labelwise.graphs.build_graph``."""
    encoder = encoder_config_of(config)
    family = encoder.get("model_type")
    if not isinstance(family, str) or family not in _ENCODERS:
        known = ", ".join(sorted(HAS_BUILDER))
        raise CheckpointError(f"no graph builder for model_type {family!r}; there are builders for {known}")
    if weights not in ("float32", "int8"):
        raise InputError(f"weights must be 'float32' or 'int8', not {weights!r}")
    _check_head(config, head)
    prefix, write_encoder = _ENCODERS[family]
    prefix = encoder_prefix_of(config) or prefix
    checkpoint = CheckpointTensors(tensors)
    checkpoint.require_family(prefix, family=family)

    writer = GraphWriter(fused=fused, weights=weights)
    settings = EncoderSettings.from_config(encoder)
    if head == "multitask":
        inputs = TokenInputs.declare_segments(writer)
    else:
        # The rows of joint models are all of type 0.
        has_token_types = settings.has_token_types and head != "joint-labels"
        inputs = TokenInputs.declare(writer, has_token_types=has_token_types)
    reads_first_token = head == "sequence-classification"
    hidden = write_encoder(
        writer, encoder, checkpoint.under(prefix), inputs, first_token_only=reads_first_token
    )
    if reads_first_token:
        write_class_logits(writer, config, checkpoint, hidden)
    elif head == "multitask":
        write_multitask_logits(writer, config, checkpoint, hidden, inputs)
    elif head == "joint-labels":
        write_joint_logits(writer, config, checkpoint, hidden, inputs, hidden_size=settings.hidden_size)
    else:
        write_span_logits(writer, config, checkpoint, hidden, inputs)
    return writer.model()


def _check_head(config: Mapping[str, Any], head: str) -> None:
    if head not in get_args(HeadKind):
        raise InputError(f"head must be one of {', '.join(get_args(HeadKind))}, not {head!r}")
    is_joint = config["model_type"] in JOINT_FAMILIES
    is_multitask = config["model_type"] == MULTITASK_FAMILY
    if is_joint != (head == "joint-labels") or is_multitask != (head == "multitask"):
        raise InputError(f"head {head!r} does not go with model_type {config['model_type']!r}")

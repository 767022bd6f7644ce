"""The model that a run starts from."""

from __future__ import annotations

import logging
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification

from labelwise.errors import InputError
from labelwise.models.multitask import MultitaskConfig, MultitaskModel
from labelwise.models.multitask.configuration import ENTAIL_CLASSES
from labelwise.training.multitask.recipe import MultitaskHyperparameters

__all__ = ["start_model"]

log = logging.getLogger("labelwise.training")


def start_model(
    base: Path,
    chosen: MultitaskHyperparameters,
    *,
    entail_model: Path | None = None,
    earlier_model: Path | None = None,
) -> MultitaskModel:
    """Return the weights to go on from: an earlier run's, an entailment model's, or the base's encoder.

    Raises:
        InputError: the base is not a BERT, or the entailment model's classes are not the three of this model.
    """
    if earlier_model is None:
        model = _fresh_model(base, chosen, entail_model)
    else:
        model = MultitaskModel.from_pretrained(
            earlier_model, dtype="float32", attn_implementation=chosen.attention, use_safetensors=True
        )
        log.info("all weights from %s", earlier_model)
    if chosen.freezes_word_embeddings:
        model.get_input_embeddings().weight.requires_grad_(False)
    if chosen.is_compiled:
        for layer in model.encoder.encoder.layer:
            layer.compile(dynamic=True)
    return model


def _fresh_model(base: Path, chosen: MultitaskHyperparameters, entail_model: Path | None) -> MultitaskModel:
    config = AutoConfig.from_pretrained(base)
    if config.model_type != "bert":
        raise InputError(f"the base is a {config.model_type!r} model: the multi-task model is built on BERT")
    fields = {**config.to_dict(), "id2label": None, "label2id": None}
    for name in ("model_type", "id2label", "label2id", "architectures"):
        fields.pop(name)
    fields |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    model: MultitaskModel = MultitaskModel._from_config(
        MultitaskConfig(**fields), attn_implementation=chosen.attention, dtype=torch.float32
    )
    if entail_model is None:
        encoder = AutoModel.from_pretrained(base, dtype="float32", use_safetensors=True)
        _copy(encoder, model.encoder)
    else:
        _copy_entail_model(model, entail_model)
    return model


def _copy_entail_model(model: MultitaskModel, folder: Path) -> None:
    entail = AutoModelForSequenceClassification.from_pretrained(folder, dtype="float32", use_safetensors=True)
    classes = tuple(entail.config.id2label[index] for index in range(entail.config.num_labels))
    if classes != ENTAIL_CLASSES:
        raise InputError(
            f"{folder} has the classes {', '.join(classes)}: needed are {', '.join(ENTAIL_CLASSES)}"
        )
    _copy(entail.bert, model.encoder)
    model.entail_head.dense.load_state_dict(entail.bert.pooler.dense.state_dict())
    model.entail_head.out.load_state_dict(entail.classifier.state_dict())
    log.info("encoder and entailment head from %s", folder)


def _copy(source: torch.nn.Module, target: torch.nn.Module) -> None:
    weights = {name: value for name, value in source.state_dict().items() if not name.startswith("pooler.")}
    target.load_state_dict(weights)

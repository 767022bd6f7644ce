"""The GliZNet model: an encoder, label vectors, and each label's score against its reading of the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn
from transformers import AutoModel, PreTrainedModel
from transformers import initialization as init
from transformers.utils import ModelOutput

from labelwise.errors import CheckpointError, InputError
from labelwise.models.gathering import gather_marked
from labelwise.models.gliznet.attention import read_text_per_label
from labelwise.models.gliznet.configuration import GliZNetConfig
from labelwise.models.gliznet.scoring import BilinearScoring, CosineScoring, LabelAggregator
from labelwise.models.losses import IGNORED, weighted_total

__all__ = ["GliZNetModel", "GliZNetOutput"]


@dataclass
class GliZNetOutput(ModelOutput):  # type: ignore[misc]
    """What the model gives back.

    Attributes:
        loss: the weighted total, where labels were given.
        logits: [batch, K], -inf where a row has fewer than K labels; K is the most labels in the batch.
        label_vectors: [batch, K, D], zeros where absent.
        hidden_states: the backbone's, where asked for.
        attentions: the backbone's, where asked for.
    """

    loss: Tensor | None = None
    logits: Tensor | None = None
    label_vectors: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class GliZNetModel(PreTrainedModel):  # type: ignore[misc]
    """Scores every ``[LAB]`` of ``[CLS] text [SEP] l1 [LAB] l2 [LAB] ...`` in one pass; any number of labels.

    State dict: ``backbone.*`` as `transformers.AutoModel` names it, and ``aggregator.scoring.*``.

    Raises:
        CheckpointError: the configuration has no backbone_config.
    """

    config_class = GliZNetConfig
    base_model_prefix = "backbone"
    supports_gradient_checkpointing = True
    # The loss is a mean over texts; else Trainer would take the open-ended forward for one that divides by
    # num_items_in_batch itself, and gradient accumulation would scale the loss wrongly.
    accepts_loss_kwargs = False

    def __init__(self, config: GliZNetConfig, backbone: PreTrainedModel | None = None) -> None:
        super().__init__(config)
        if config.backbone_config is None:
            raise CheckpointError(
                f"the GliZNet configuration has no backbone_config: build it from {config.backbone_model!r} "
                "with GliZNetModel.from_backbone"
            )
        self.backbone = AutoModel.from_config(config.backbone_config) if backbone is None else backbone
        self.dropout = nn.Dropout(config.dropout_rate)
        self.aggregator = LabelAggregator(
            config.backbone_config.hidden_size, scoring_method=config.scoring_method
        )
        self.post_init()

    @classmethod
    def from_backbone(cls, backbone: str | PreTrainedModel, **fields: Any) -> GliZNetModel:
        """Start a new model from a pretrained encoder; the scoring head is fresh.

        Args:
            backbone: a folder or hub id that `transformers.AutoModel` reads, or such a model.
            **fields: fields of `GliZNetConfig`.
        """
        encoder = AutoModel.from_pretrained(backbone) if isinstance(backbone, str) else backbone
        fields.setdefault("backbone_model", encoder.config.name_or_path or encoder.config.model_type)
        config = GliZNetConfig(backbone_config=encoder.config, **fields)
        # Else initialising the fresh head would draw the encoder's weights anew as well.
        for module in encoder.modules():
            module._is_hf_initialized = True
        return cls(config, backbone=encoder)

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Bilinear):
            init.normal_(module.weight, mean=0.0, std=self._initial_deviation)
            init.zeros_(module.bias)
        elif isinstance(module, CosineScoring):
            init.constant_(module.logit_scale, CosineScoring.INITIAL_LOGIT_SCALE)
        elif not isinstance(module, BilinearScoring):
            self.backbone._init_weights(module)

    @property
    def _initial_deviation(self) -> float:
        return getattr(self.config.backbone_config, "initializer_range", None) or 0.02

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        lmask: Tensor,
        labels: Tensor | None = None,
        *,
        return_dict: bool | None = None,
        **backbone_arguments: Any,
    ) -> GliZNetOutput | tuple[Tensor, ...]:
        """Score all labels of a batch, left to right.

        Args:
            input_ids: [batch, tokens].
            attention_mask: [batch, tokens], 0 on padding.
            lmask: [batch, tokens], k on the tokens of the k-th label (from 1) and 0 elsewhere.
            labels: [batch, at least as many columns as labels], 0, 1, or -100 where there is no label.
            return_dict: False gives a tuple.
            **backbone_arguments: passed on to the backbone.

        Raises:
            InputError: the configuration has no lab_token_id, or ``labels`` holds targets of absent labels.
        """
        if self.config.lab_token_id is None:
            raise InputError("the GliZNet config has no lab_token_id: set it to the tokenizer's id of [LAB]")
        encoded = self.backbone(
            input_ids=input_ids, attention_mask=attention_mask, return_dict=True, **backbone_arguments
        )
        states = encoded.last_hidden_state
        is_real = attention_mask.bool()
        is_lab = (input_ids == self.config.lab_token_id) & is_real
        label_vectors, present = gather_marked(states, is_lab)
        label_vectors = self.dropout(label_vectors)
        text_vectors = read_text_per_label(label_vectors, states, (lmask == 0) & is_real & ~is_lab)
        logits = self.aggregator(text_vectors, label_vectors).masked_fill(~present, float("-inf"))
        output = GliZNetOutput(
            loss=None if labels is None else self._loss(logits, labels, label_vectors, present),
            logits=logits,
            label_vectors=label_vectors,
            hidden_states=encoded.get("hidden_states"),
            attentions=encoded.get("attentions"),
        )
        if return_dict is False:
            as_tuple: tuple[Tensor, ...] = output.to_tuple()
            return as_tuple
        return output

    def _loss(self, logits: Tensor, labels: Tensor, label_vectors: Tensor, present: Tensor) -> Tensor:
        return weighted_total(
            logits,
            _fit_targets(labels, present),
            label_vectors,
            present,
            settings=self.config.loss_settings,
        )


def _fit_targets(labels: Tensor, present: Tensor) -> Tensor:
    """Give the targets one column per label of the batch."""
    num_labels = present.shape[-1]
    if labels.shape[-1] < num_labels:
        labels = F.pad(labels, (0, num_labels - labels.shape[-1]), value=IGNORED)
    targets, surplus = labels[:, :num_labels], labels[:, num_labels:]
    if bool(torch.any(surplus != IGNORED)) or bool(torch.any((targets != IGNORED) & ~present)):
        counts = (labels != IGNORED).sum(dim=-1).tolist()
        raise InputError(
            f"labels name {counts} targets per row, but the input holds {present.sum(dim=-1).tolist()} [LAB] "
            f"tokens: pad with {IGNORED} where a text has no label"
        )
    return targets

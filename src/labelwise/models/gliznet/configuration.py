"""What a GliZNet checkpoint's config.json says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transformers import AutoConfig, PretrainedConfig

from labelwise.errors import InputError
from labelwise.models.losses import LossSettings

__all__ = ["SCORING_METHODS", "GliZNetConfig"]

SCORING_METHODS = ("bilinear", "cosine")


class GliZNetConfig(PretrainedConfig):  # type: ignore[misc]
    """Configuration of a GliZNet model; fields that are not known here are kept and written back.

    Args:
        backbone_model: hub id or folder that the backbone was started from; a note, never read when loading.
        backbone_config: the backbone's own configuration, or its mapping as it stands in config.json.
        dropout_rate: dropout on the label vectors while training.
        lab_token_id: id of ``[LAB]``; the model cannot run without it.
        bce_loss_weight: weight of "bce" (and of "focal").
        supcon_loss_weight: weight of "softmax", each true label against all false ones.
        label_repulsion_weight: weight of "repulsion" (and of "sample_repulsion").
        supcon_margin: margin of "softmax".
        repulsion_threshold: kept because some revisions write it; no loss reads it.
        max_labels: how many labels per text the checkpoint was trained with; the model takes any number.
        scoring_method: "bilinear" or "cosine".
        losses: names out of `labelwise.models.losses.LOSS_NAMES`.
        focal_gamma: gamma of "focal".
        **kwargs: transformers' common fields, and fields of later versions.

    Raises:
        InputError: a value is outside its range, or a name is unknown.
    """

    model_type = "gliznet"
    # Trainer would gather these for every evaluation batch; they are as large as the model's activations.
    keys_to_ignore_at_inference = ["label_vectors", "hidden_states", "attentions"]

    def __init__(
        self,
        *,
        backbone_model: str = "answerdotai/ModernBERT-base",
        backbone_config: PretrainedConfig | dict[str, Any] | None = None,
        dropout_rate: float = 0.1,
        lab_token_id: int | None = None,
        bce_loss_weight: float = 1.0,
        supcon_loss_weight: float = 1.0,
        label_repulsion_weight: float = 0.0,
        supcon_margin: float = 0.0,
        repulsion_threshold: float = 0.3,
        max_labels: int = 20,
        scoring_method: str = "bilinear",
        losses: Sequence[str] = ("softmax", "repulsion", "bce"),
        focal_gamma: float = 1.85,
        **kwargs: Any,
    ) -> None:
        if max_labels <= 0:
            raise InputError(f"max_labels is {max_labels}: it must be at least 1")
        if scoring_method not in SCORING_METHODS:
            raise InputError(f"scoring_method {scoring_method!r} is unknown: use 'bilinear' or 'cosine'")
        self.backbone_model = backbone_model
        self.backbone_config = _as_config(backbone_config)
        self.dropout_rate = dropout_rate
        self.lab_token_id = lab_token_id
        self.bce_loss_weight = bce_loss_weight
        self.supcon_loss_weight = supcon_loss_weight
        self.label_repulsion_weight = label_repulsion_weight
        self.supcon_margin = supcon_margin
        self.repulsion_threshold = repulsion_threshold
        self.max_labels = max_labels
        self.scoring_method = scoring_method
        self.losses = list(losses)
        self.focal_gamma = focal_gamma
        super().__init__(**kwargs)

    def get_text_config(self, *args: Any, **kwargs: Any) -> PretrainedConfig:
        """Give the backbone's configuration: transformers changes the vocabulary size there."""
        return self if self.backbone_config is None else self.backbone_config.get_text_config(*args, **kwargs)

    @property
    def loss_settings(self) -> LossSettings:
        """The losses and weights that this configuration trains with.

        Raises:
            InputError: a loss name is unknown.
        """
        return LossSettings(
            names=tuple(self.losses),
            softmax_weight=self.supcon_loss_weight,
            softmax_margin=self.supcon_margin,
            binary_weight=self.bce_loss_weight,
            repulsion_weight=self.label_repulsion_weight,
            focal_gamma=self.focal_gamma,
        )


def _as_config(backbone: PretrainedConfig | dict[str, Any] | None) -> PretrainedConfig | None:
    if backbone is None:
        return None
    if isinstance(backbone, PretrainedConfig):
        config = backbone
    else:
        fields = dict(backbone)
        if "model_type" not in fields:
            raise InputError("backbone_config has no model_type: add the backbone's, such as 'deberta-v2'")
        config = AutoConfig.for_model(fields.pop("model_type"), **fields)
    # The dtype that the backbone was once saved in must not decide the dtype of this model's weights.
    config.dtype = None
    return config

"""Make transformers' Auto classes know the architectures of this package."""

from __future__ import annotations

from transformers import AutoConfig, AutoModel

from labelwise.models.gliclass import GLiClassConfig, GLiClassModel
from labelwise.models.gliznet import GliZNetConfig, GliZNetModel
from labelwise.models.multitask import MultitaskConfig, MultitaskModel

__all__ = ["register_with_transformers"]


def register_with_transformers() -> None:
    """Register all architectures; the last registration wins where another package uses the same name."""
    for config_class, model_class in (
        (GliZNetConfig, GliZNetModel),
        (GLiClassConfig, GLiClassModel),
        (MultitaskConfig, MultitaskModel),
    ):
        AutoConfig.register(config_class.model_type, config_class, exist_ok=True)
        AutoModel.register(config_class, model_class, exist_ok=True)

"""GLiClass uni-encoder models, read from their published layout; for scoring, not for training."""

from __future__ import annotations

from labelwise.models.gliclass.configuration import GLiClassConfig
from labelwise.models.gliclass.modeling import GLiClassModel, GLiClassOutput

__all__ = ["GLiClassConfig", "GLiClassModel", "GLiClassOutput"]

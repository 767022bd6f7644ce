"""GliZNet: a text and all its labels in one pass, each label scored against its own reading of the text."""

from __future__ import annotations

from labelwise.models.gliznet.configuration import GliZNetConfig
from labelwise.models.gliznet.modeling import GliZNetModel, GliZNetOutput

__all__ = ["GliZNetConfig", "GliZNetModel", "GliZNetOutput"]

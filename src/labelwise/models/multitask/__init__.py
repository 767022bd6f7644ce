"""One encoder, four verbs: labels beside their text, entailment, and answer spans."""

from __future__ import annotations

from labelwise.models.multitask.configuration import MultitaskConfig
from labelwise.models.multitask.modeling import MultitaskModel, MultitaskOutput

__all__ = ["MultitaskConfig", "MultitaskModel", "MultitaskOutput"]

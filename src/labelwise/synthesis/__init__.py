"""Training rows for labels in plenty, written by any model behind an OpenAI-compatible chat endpoint."""

from __future__ import annotations

from labelwise.synthesis.endpoint import ApiKey, ChatEndpoint, EndpointError
from labelwise.synthesis.plan import SynthesisPlan
from labelwise.synthesis.report import SynthesisProgress, SynthesisReport
from labelwise.synthesis.retries import RetryPolicy
from labelwise.synthesis.rows import SyntheticRow
from labelwise.synthesis.run import Limits, synthesize
from labelwise.synthesis.splits import LabelSplit, split_by_label

__all__ = [
    "ApiKey",
    "ChatEndpoint",
    "EndpointError",
    "LabelSplit",
    "Limits",
    "RetryPolicy",
    "SynthesisPlan",
    "SynthesisProgress",
    "SynthesisReport",
    "SyntheticRow",
    "split_by_label",
    "synthesize",
]

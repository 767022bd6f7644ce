"""User text -> ids that user text cannot break, and the layouts that join them for a model."""

from __future__ import annotations

from labelwise.text.control import ControlTokens
from labelwise.text.pair import PairLayout
from labelwise.text.sequence import TokenSequence
from labelwise.text.tokenizer import EncodedText, TextTokenizer

__all__ = ["ControlTokens", "EncodedText", "PairLayout", "TextTokenizer", "TokenSequence"]

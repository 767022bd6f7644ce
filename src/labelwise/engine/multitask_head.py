"""The multi-task model's three heads: labels beside their text, entailment, and answer spans."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from labelwise.engine.heads import spread_over_rows
from labelwise.engine.native import NativeEncoder, WordTable
from labelwise.engine.packing import PositionRule, pack
from labelwise.engine.similarity import LexicalSimilarity
from labelwise.graphs.settings import num_classes_in, whole_number_in
from labelwise.graphs.tensors import CheckpointTensors
from labelwise.text.sequence import TokenSequence

__all__ = ["MultitaskHead"]

FloatArray = NDArray[np.float32]
_DEFAULT_LABEL_SIZE = 192


class MultitaskHead:
    """As `labelwise.graphs.multitask_heads`, on a packed batch; see `labelwise.engine.heads.EngineHead`."""

    num_top_layers: ClassVar[int] = 5
    _LABEL_DENSE, _LABEL_OUT, _ENTAIL_DENSE, _ENTAIL_OUT, _ANSWER = range(5)

    def fill(
        self,
        encoder: NativeEncoder,
        config: Mapping[str, Any],
        tensors: CheckpointTensors,
        read_words: Callable[[], WordTable],
    ) -> None:
        """Give the layers of all three heads; see `EngineHead.fill`."""
        self._similarity = LexicalSimilarity.read(tensors, read_words())
        size = whole_number_in(config, "hidden_size")
        inner = whole_number_in(config, "label_head_size", at_least=1, default=_DEFAULT_LABEL_SIZE)
        layers = {
            self._LABEL_DENSE: ("classify_head.dense", 3 * size, inner, "gelu"),
            self._LABEL_OUT: ("classify_head.out", inner, 1, "none"),
            self._ENTAIL_DENSE: ("entail_head.dense", size, size, "tanh"),
            self._ENTAIL_OUT: ("entail_head.out", size, num_classes_in(config), "none"),
            self._ANSWER: ("answer_head", size, 2, "none"),
        }
        for number, (name, size_in, size_out, activation) in layers.items():
            layer = tensors.linear(name, size_in=size_in, size_out=size_out)
            encoder.set_top(number, layer.weight, layer.bias, activation)

    def run(
        self, encoder: NativeEncoder, sequences: Sequence[TokenSequence], positions: PositionRule
    ) -> list[FloatArray]:
        """Return label, entailment, start and end logits."""
        batch = pack(sequences, positions, first_only=False)
        states = encoder.run(batch)
        first_rows = states[batch.offsets[:-1]]
        entail = encoder.apply_top(self._ENTAIL_OUT, encoder.apply_top(self._ENTAIL_DENSE, first_rows))
        spans = encoder.apply_top(self._ANSWER, states)
        labels = self._label_logits(encoder, sequences, np.split(states, batch.offsets[1:-1]))
        return [labels, entail, *(spread_over_rows(part, sequences) for part in spans.T)]

    def _label_logits(
        self, encoder: NativeEncoder, sequences: Sequence[TokenSequence], states: list[FloatArray]
    ) -> FloatArray:
        """Score each label from its vector, its reading of the text, and their product."""
        features = [_label_features(row, own) for row, own in zip(sequences, states, strict=True)]
        counts = [len(part) for part in features]
        logits = np.zeros((len(sequences), max(1, *counts)), dtype=np.float32)
        if sum(counts):
            dense = encoder.apply_top(self._LABEL_DENSE, np.concatenate(features))
            scored = encoder.apply_top(self._LABEL_OUT, dense)[:, 0]
            scored = scored + np.concatenate([self._similarity.logits(row) for row in sequences])
            logits[np.arange(logits.shape[1]) < np.array(counts)[:, None]] = scored
        return logits


def _label_features(row: TokenSequence, states: FloatArray) -> FloatArray:
    """Return what the label head reads of one row, [labels, 3 * hidden]."""
    if row.label_positions is None or not len(row.label_positions):
        return np.zeros((0, 3 * states.shape[1]), dtype=np.float32)
    labels = states[row.label_positions]
    text = states if row.segment_ids is None else states[row.segment_ids == 0]
    scores = labels @ text.T * np.float32(states.shape[1] ** -0.5)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    texts = weights @ text / weights.sum(axis=1, keepdims=True)
    return np.concatenate([labels, texts, labels * texts], axis=1)

"""The multi-task model's three heads: labels beside their text, entailment, and answer spans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from labelwise.engine.heads import spread_over_rows
from labelwise.engine.native import NativeEncoder, WordTable
from labelwise.engine.packing import PositionRule, first_places, pack
from labelwise.engine.similarity import LexicalSimilarity
from labelwise.graphs.settings import num_classes_in, whole_number_in
from labelwise.graphs.tensors import CheckpointTensors
from labelwise.text.sequence import TokenSequence

__all__ = ["MultitaskHead"]

FloatArray = NDArray[np.float32]
Places = NDArray[np.int64]
_LABELS, _ENTAIL = "label_logits", "entail_logits"
_SPANS = ("start_logits", "end_logits")
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
        words: WordTable,
    ) -> None:
        """Give the layers of all three heads; see `EngineHead.fill`."""
        self._similarity = LexicalSimilarity.read(tensors, words)
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
        self,
        encoder: NativeEncoder,
        sequences: Sequence[TokenSequence],
        positions: PositionRule,
        *,
        outputs: Sequence[str],
    ) -> list[FloatArray]:
        """Run the heads that are asked for, on the states that they read; see `EngineHead.run`."""
        kept = _places_read(sequences, outputs)
        states = encoder.run(pack(sequences, positions, kept=kept))
        counts = [len(row) for row in sequences] if kept is None else [len(places) for places in kept]
        ends = np.cumsum(counts)
        found: dict[str, FloatArray] = {}
        if _LABELS in outputs:
            by_row = np.split(states, ends[:-1])
            found[_LABELS] = self._label_logits(encoder, sequences, by_row, kept)
        if _ENTAIL in outputs:
            first_rows = encoder.apply_top(self._ENTAIL_DENSE, states[ends - counts])
            found[_ENTAIL] = encoder.apply_top(self._ENTAIL_OUT, first_rows)
        if _reads_spans(outputs):
            spans = encoder.apply_top(self._ANSWER, states)
            found |= {
                name: spread_over_rows(spans[:, column], sequences) for column, name in enumerate(_SPANS)
            }
        return [found[name] for name in outputs]

    def _label_logits(
        self,
        encoder: NativeEncoder,
        sequences: Sequence[TokenSequence],
        states: Sequence[FloatArray],
        kept: Sequence[Places] | None,
    ) -> FloatArray:
        """Score each label from its vector, its reading of the text, and their product."""
        places = kept or [np.arange(len(row), dtype=np.int64) for row in sequences]
        features = [_label_features(*one) for one in zip(sequences, states, places, strict=True)]
        counts = [len(part) for part in features]
        logits = np.zeros((len(sequences), max(1, *counts)), dtype=np.float32)
        if sum(counts):
            dense = encoder.apply_top(self._LABEL_DENSE, np.concatenate(features))
            scored = encoder.apply_top(self._LABEL_OUT, dense)[:, 0]
            scored = scored + np.concatenate([self._similarity.logits(row) for row in sequences])
            logits[np.arange(logits.shape[1]) < np.array(counts)[:, None]] = scored
        return logits


def _reads_spans(outputs: Sequence[str]) -> bool:
    return any(name in outputs for name in _SPANS)


def _places_read(sequences: Sequence[TokenSequence], outputs: Sequence[str]) -> list[Places] | None:
    """Return which tokens' last states the heads read, [CLS] among them; None where they read all."""
    if _reads_spans(outputs):
        return None
    if _LABELS not in outputs:
        return first_places(sequences)
    return [_places_for_labels(row) for row in sequences]


def _places_for_labels(row: TokenSequence) -> Places:
    """Name the tokens of the text and those where labels have their vectors."""
    is_read = np.ones(len(row), dtype=np.bool_) if row.segment_ids is None else row.segment_ids == 0
    if row.label_positions is not None:
        is_read[row.label_positions] = True
    return np.flatnonzero(is_read)


def _label_features(row: TokenSequence, states: FloatArray, places: Places) -> FloatArray:
    """Return what the label head reads of a row, [labels, 3 * hidden]; ``states`` are those of ``places``."""
    if row.label_positions is None or not len(row.label_positions):
        return np.zeros((0, 3 * states.shape[1]), dtype=np.float32)
    labels = states[np.searchsorted(places, row.label_positions)]
    text = states if row.segment_ids is None else states[row.segment_ids[places] == 0]
    scores = labels @ text.T * np.float32(states.shape[1] ** -0.5)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    texts = weights @ text / weights.sum(axis=1, keepdims=True)
    return np.concatenate([labels, texts, labels * texts], axis=1)

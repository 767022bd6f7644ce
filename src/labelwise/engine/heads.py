"""What stands on the encoder: logits per class, or start and end logits per token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from labelwise.engine.native import NativeEncoder, WordTable
from labelwise.engine.packing import PositionRule, first_places, pack
from labelwise.graphs.settings import activation_in, num_classes_in, whole_number_in
from labelwise.graphs.tensors import CheckpointTensors
from labelwise.text.sequence import TokenSequence

__all__ = ["ClassHead", "EngineHead", "SpanHead", "spread_over_rows"]

FloatArray = NDArray[np.float32]


class EngineHead(Protocol):
    """The last part of a model: linear layers of the engine, and how their results become logits."""

    num_top_layers: ClassVar[int]

    def fill(
        self,
        encoder: NativeEncoder,
        config: Mapping[str, Any],
        tensors: CheckpointTensors,
        words: WordTable,
    ) -> None:
        """Give the head's layers, which stay in float32.

        Args:
            encoder: takes the layers.
            config: the parsed config.json.
            tensors: all weights.
            words: the encoder's word table, for heads that look at it.

        Raises:
            CheckpointError: a tensor is missing or has the wrong shape.
        """
        ...

    def run(
        self,
        encoder: NativeEncoder,
        sequences: Sequence[TokenSequence],
        positions: PositionRule,
        *,
        outputs: Sequence[str],
    ) -> list[FloatArray]:
        """Return the logits of at least one sequence, in the order in which the outputs are named."""
        ...


class ClassHead:
    """Logits per class from the first token's last state."""

    num_top_layers: ClassVar[int] = 2
    _POOLER, _CLASSIFIER = 0, 1

    def fill(
        self,
        encoder: NativeEncoder,
        config: Mapping[str, Any],
        tensors: CheckpointTensors,
        words: WordTable,
    ) -> None:
        """Give pooler and classifier; see `EngineHead.fill`."""
        family = config["model_type"]
        size = whole_number_in(config, "hidden_size")
        activation = activation_in(config, "pooler_hidden_act") if family == "deberta-v2" else "tanh"
        pooler_name, classifier_name = {
            "deberta-v2": ("pooler.dense", "classifier"),
            "bert": ("bert.pooler.dense", "classifier"),
        }.get(family, ("classifier.dense", "classifier.out_proj"))
        pooler = tensors.linear(pooler_name, size_in=size, size_out=size)
        classifier = tensors.linear(classifier_name, size_in=size, size_out=num_classes_in(config))
        encoder.set_top(self._POOLER, pooler.weight, pooler.bias, activation)
        encoder.set_top(self._CLASSIFIER, classifier.weight, classifier.bias)

    def run(
        self,
        encoder: NativeEncoder,
        sequences: Sequence[TokenSequence],
        positions: PositionRule,
        *,
        outputs: Sequence[str],
    ) -> list[FloatArray]:
        """Score the classes, the only output; see `EngineHead.run`."""
        first_rows = encoder.run(pack(sequences, positions, kept=first_places(sequences)))
        return [encoder.apply_top(self._CLASSIFIER, encoder.apply_top(self._POOLER, first_rows))]


class SpanHead:
    """Start and end logits of each token."""

    num_top_layers: ClassVar[int] = 1
    _COLUMNS: ClassVar[Mapping[str, int]] = {"start_logits": 0, "end_logits": 1}

    def fill(
        self,
        encoder: NativeEncoder,
        config: Mapping[str, Any],
        tensors: CheckpointTensors,
        words: WordTable,
    ) -> None:
        """Give the reader's only layer; see `EngineHead.fill`."""
        layer = tensors.linear("qa_outputs", size_in=whole_number_in(config, "hidden_size"), size_out=2)
        encoder.set_top(0, layer.weight, layer.bias)

    def run(
        self,
        encoder: NativeEncoder,
        sequences: Sequence[TokenSequence],
        positions: PositionRule,
        *,
        outputs: Sequence[str],
    ) -> list[FloatArray]:
        """Score each token; see `EngineHead.run`."""
        logits = encoder.apply_top(0, encoder.run(pack(sequences, positions)))
        return [spread_over_rows(logits[:, self._COLUMNS[name]], sequences) for name in outputs]


def spread_over_rows(values: FloatArray, sequences: Sequence[TokenSequence]) -> FloatArray:
    """Put values of a packed batch into rows, [sequences, longest], zero behind each row's end."""
    lengths = np.array([len(row) for row in sequences])
    rows = np.zeros((len(sequences), int(lengths.max())), dtype=np.float32)
    rows[np.arange(rows.shape[1]) < lengths[:, None]] = values
    return rows

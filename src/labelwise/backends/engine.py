"""The engine backend: our own forward pass in C++, on the CPU, without padding."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from labelwise.backends.cores import available_cores
from labelwise.backends.heads import HeadOutputs
from labelwise.backends.pad import pad
from labelwise.backends.word_rows import map_half_words
from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.families import pad_token_id
from labelwise.checkpoints.weights import read_tensors
from labelwise.engine.assembling import PREFIXES, assemble_encoder
from labelwise.engine.heads import ClassHead, EngineHead, SpanHead
from labelwise.engine.multitask_head import MultitaskHead
from labelwise.engine.native import NativeEncoder, WordTable
from labelwise.engine.onnx_weights import OnnxWeights
from labelwise.engine.packing import PositionRule
from labelwise.engine.small_weights import GROUP_SIZE
from labelwise.engine.stored_layers import StoredLayers
from labelwise.errors import CheckpointError
from labelwise.graphs.nested import encoder_config_of, encoder_prefix_of
from labelwise.graphs.settings import EncoderSettings
from labelwise.graphs.tensors import CheckpointTensors
from labelwise.text.sequence import TokenSequence

__all__ = ["EngineBackend"]

_HEADS: Final[Mapping[str, Callable[[], EngineHead]]] = {
    "sequence-classification": ClassHead,
    "question-answering": SpanHead,
    "multitask": MultitaskHead,
}
_WORDS: Final = "embeddings.word_embeddings.weight"


class EngineBackend:
    """Runs a checkpoint in the packed engine; see `labelwise.backends.base.Backend`."""

    name = "engine"

    def __init__(
        self,
        encoder: NativeEncoder,
        head: EngineHead,
        *,
        outputs: HeadOutputs,
        positions: PositionRule,
        pad_id: int,
    ) -> None:
        """Take a filled encoder over."""
        self._encoder = encoder
        self._head = head
        self._outputs = outputs
        self._positions = positions
        self._pad_id = pad_id

    @classmethod
    def open(
        cls, checkpoint: Checkpoint, *, threads: int | None = None, dtype: str = "auto"
    ) -> EngineBackend:
        """Fill an encoder with a checkpoint's weights.

        Args:
            checkpoint: What `open_checkpoint` gave.
            threads: How many threads one call uses; None for every core that this process may use.
            dtype: "int8" runs float weights in 8 bits; "auto" keeps to the precision they are stored in.

        Raises:
            CheckpointError: the engine does not know the model, or its weights are broken.
            BackendError: this installation has no engine.
        """
        outputs = HeadOutputs.of(checkpoint)
        config = encoder_config_of(checkpoint.config)
        family = str(config.get("model_type"))
        if family not in PREFIXES or outputs.kind not in _HEADS:
            raise CheckpointError(
                f"{checkpoint.ref!r}: the packed engine does not know {family} with a {outputs.kind} head"
            )
        prefix = encoder_prefix_of(checkpoint.config) or PREFIXES[family]
        weights, stored = _weights(checkpoint, config, prefix, dtype)
        tensors = CheckpointTensors(weights)
        tensors.require_family(prefix, family=family)
        words = _word_table(checkpoint, tensors, config, prefix) if stored is None else stored.words
        head = _HEADS[outputs.kind]()
        encoder = assemble_encoder(
            config,
            tensors.under(prefix),
            threads=threads or available_cores(),
            num_top_layers=head.num_top_layers,
            group_size=GROUP_SIZE if dtype == "int8" else None,
            stored=stored,
            words=words,
        )
        head.fill(encoder, checkpoint.config, tensors, words)
        positions, pad_id = PositionRule.of(config), pad_token_id(checkpoint.config)
        return cls(encoder, head, outputs=outputs, positions=positions, pad_id=pad_id)

    def run(
        self, sequences: Sequence[TokenSequence], *, outputs: Sequence[str] | None = None
    ) -> tuple[NDArray[np.float32], ...]:
        """Return the logits of one batch; see `labelwise.backends.base.Backend.run`."""
        wanted = self._outputs.only(outputs)
        if not sequences:
            return wanted.empty()
        logits = self._head.run(self._encoder, sequences, self._positions, outputs=wanted.names)
        return wanted.checked(logits, pad(sequences, pad_token_id=self._pad_id))


def _word_table(
    checkpoint: Checkpoint, tensors: CheckpointTensors, config: Mapping[str, Any], prefix: str
) -> WordTable:
    """Return the word embeddings in the precision that they are stored in."""
    settings = EncoderSettings.from_config(config)
    name, shape = f"{prefix}.{_WORDS}", (settings.vocab_size, settings.hidden_size)
    return map_half_words(checkpoint, name, shape=shape) or WordTable(tensors.read(name, *shape))


def _weights(
    checkpoint: Checkpoint, config: Mapping[str, Any], prefix: str, dtype: str
) -> tuple[Mapping[str, Any], StoredLayers | None]:
    """Return the tensors, and the layers where they are stored in 8 bits."""
    if checkpoint.weight_files:
        return read_tensors(checkpoint), None
    # An 8-bit graph of DeBERTa holds projected positions in place of the weights that made them.
    is_readable = checkpoint.onnx_files and config.get("model_type") != "deberta-v2" and dtype != "float32"
    if not is_readable:
        raise CheckpointError(f"{checkpoint.ref!r} has no weights that the packed engine can read")
    settings = EncoderSettings.from_config(config)
    weights = OnnxWeights(checkpoint.onnx_files[0], score_factor=settings.head_size**-0.5)
    return weights, StoredLayers(weights, prefix, settings)

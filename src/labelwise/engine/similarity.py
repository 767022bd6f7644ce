"""How alike a text and its labels are by their words alone; see `labelwise.models.multitask.similarity`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from labelwise.engine.native import WordTable
from labelwise.graphs.tensors import CheckpointTensors
from labelwise.text.sequence import TokenSequence

__all__ = ["LexicalSimilarity"]

FloatArray = NDArray[np.float32]
_LEAST_LENGTH: Final = np.float32(1e-6)


@dataclass(frozen=True, slots=True)
class LexicalSimilarity:
    """The scaled cosine of weighted sums of word vectors.

    Attributes:
        words: the encoder's own table.
        token_weights: [vocabulary].
        center: [hidden]: the mean word.
        scale: what the cosine is multiplied with.
    """

    words: WordTable
    token_weights: FloatArray
    center: FloatArray
    scale: float

    @classmethod
    def read(cls, tensors: CheckpointTensors, words: WordTable) -> LexicalSimilarity:
        """Read what a checkpoint says beside its word table.

        Raises:
            CheckpointError: a tensor is missing or has the wrong shape.
        """
        own = tensors.under("similarity")
        vocab_size, size = words.rows.shape
        return cls(
            words,
            own.read("token_weights", vocab_size),
            own.read("center", size),
            float(own.read("scale")),
        )

    def logits(self, row: TokenSequence) -> FloatArray:
        """Return what is added to the logits of a row's labels, [labels]."""
        positions, segments = row.label_positions, row.segment_ids
        if positions is None or segments is None or not len(positions):
            return np.zeros(0, dtype=np.float32)
        weighted = (self.words.vectors(row.ids) - self.center) * self.token_weights[row.ids, None]
        # Segments lie end to end, the text's first, so each sum is of one stretch.
        starts = np.concatenate([[0], np.flatnonzero(np.diff(segments)) + 1])
        sums = np.add.reduceat(weighted, starts, axis=0)
        text, labels = sums[0], sums[1:]
        lengths = np.maximum(np.linalg.norm(sums, axis=1), _LEAST_LENGTH)
        cosines = (labels @ text) / (lengths[1:] * lengths[0])
        return np.asarray(cosines * np.float32(self.scale), dtype=np.float32)

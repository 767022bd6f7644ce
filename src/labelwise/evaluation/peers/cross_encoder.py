"""sentence-transformers' CrossEncoder as a peer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from labelwise.checkpoints.heads import NliHead
from labelwise.errors import require
from labelwise.evaluation.peers.opening import PeerOptions
from labelwise.evaluation.peers.shapes import (
    OnProgress,
    Scores,
    as_classification,
    as_entailments,
    as_ranking,
    hypotheses_of,
    in_chunks,
    refuse_score_mode,
)
from labelwise.results import Classification, Entailment, RankedCandidate
from labelwise.scores import softmax
from labelwise.template import DEFAULT_TEMPLATE

__all__ = ["CrossEncoderPeer"]

_BATCHES_PER_CALL = 16


@dataclass(frozen=True, slots=True)
class CrossEncoderPeer:
    """``CrossEncoder.predict`` on every pair; its raw logits are read by the names of the classes.

    Attributes:
        encoder: of sentence-transformers.
        head: which output means what.
        batch_size: pairs in one forward pass.
    """

    tasks: ClassVar[frozenset[str]] = frozenset({"classify", "entail", "rank"})

    encoder: Any
    head: NliHead
    batch_size: int

    @classmethod
    def open(cls, reference: str, options: PeerOptions) -> CrossEncoderPeer:
        """Load a cross-encoder with an entailment head."""
        library = require("sentence_transformers", extra="peers")
        encoder = library.CrossEncoder(
            reference,
            device=options.torch_device,
            revision=options.revision,
            trust_remote_code=False,
            model_kwargs={"dtype": options.torch_dtype, "use_safetensors": True},
        )
        return cls(encoder, NliHead.from_config(encoder.config.to_dict()), options.batch_size)

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
        """Let labels compete by their entailment logit, one pair per text and label."""
        refuse_score_mode(score_mode)
        template = DEFAULT_TEMPLATE if hypothesis_template is None else hypothesis_template
        hypotheses = hypotheses_of(labels, template)
        pairs = [(text, hypothesis) for text in texts for hypothesis in hypotheses.values()]
        logits = self._logits(pairs, on_progress)
        entailment = logits[:, self.head.entailment].reshape(len(texts), len(hypotheses))
        names = list(hypotheses)
        return [
            as_classification(text, names, scores)
            for text, scores in zip(texts, softmax(entailment), strict=True)
        ]

    def entail(
        self, *, pairs: Sequence[tuple[str, str]], on_progress: OnProgress | None = None
    ) -> list[Entailment]:
        """Judge pairs by the softmax over all classes."""
        return as_entailments(softmax(self._logits(pairs, on_progress)), self.head)

    def rank(self, query: str, candidates: Sequence[str]) -> list[RankedCandidate]:
        """Order candidates by how surely they follow from the query."""
        logits = self._logits([(query, candidate) for candidate in candidates], None)
        return as_ranking(candidates, softmax(logits)[:, self.head.entailment])

    def _logits(self, pairs: Sequence[tuple[str, str]], on_progress: OnProgress | None) -> Scores:
        def predict(some: Sequence[tuple[str, str]]) -> Scores:
            found = self.encoder.predict(
                list(some), batch_size=self.batch_size, show_progress_bar=False, apply_softmax=False
            )
            return np.asarray(found, dtype=np.float32)

        return in_chunks(pairs, predict, size=self.batch_size * _BATCHES_PER_CALL, on_progress=on_progress)

"""transformers' zero-shot-classification pipeline as a peer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from labelwise.checkpoints.heads import NliHead
from labelwise.errors import require
from labelwise.evaluation.peers.opening import PeerOptions, load_with_tokenizer
from labelwise.evaluation.peers.shapes import (
    OnProgress,
    Scores,
    as_classification,
    as_entailments,
    as_ranking,
    chunks,
    hypotheses_of,
    in_chunks,
    refuse_score_mode,
)
from labelwise.results import Classification, Entailment, RankedCandidate
from labelwise.scores import softmax
from labelwise.template import DEFAULT_TEMPLATE

__all__ = ["PipelinePeer"]


@dataclass(frozen=True, slots=True)
class PipelinePeer:
    """The pipeline as it stands, and its model for pairs.

    Attributes:
        pipeline: of transformers.
        head: which output of its model means what.
        batch_size: pairs in one forward pass.
    """

    tasks: ClassVar[frozenset[str]] = frozenset({"classify", "entail", "rank"})

    pipeline: Any
    head: NliHead
    batch_size: int

    @classmethod
    def open(cls, reference: str, options: PeerOptions) -> PipelinePeer:
        """Load a sequence-classification checkpoint with an entailment head."""
        transformers = require("transformers", extra="torch")
        model, tokenizer = load_with_tokenizer("AutoModelForSequenceClassification", reference, options)
        pipeline = transformers.pipeline(
            "zero-shot-classification", model=model, tokenizer=tokenizer, device=options.torch_device
        )
        return cls(pipeline, NliHead.from_config(model.config.to_dict()), options.batch_size)

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
        """Run the pipeline in its single-label mode; the template is filled before it, literally."""
        refuse_score_mode(score_mode)
        template = DEFAULT_TEMPLATE if hypothesis_template is None else hypothesis_template
        hypotheses = hypotheses_of(labels, template)
        name_of = {hypothesis: name for name, hypothesis in hypotheses.items()}
        results: list[Classification] = []
        for some in chunks(texts, self.batch_size):
            found = self.pipeline(
                list(some),
                candidate_labels=list(hypotheses.values()),
                hypothesis_template="{}",
                batch_size=self.batch_size,
            )
            for text, one in zip(some, found, strict=True):
                names = [name_of[hypothesis] for hypothesis in one["labels"]]
                results.append(as_classification(text, names, np.array(one["scores"])))
            if on_progress is not None:
                on_progress(len(results) * len(hypotheses), len(texts) * len(hypotheses))
        return results

    def entail(
        self, *, pairs: Sequence[tuple[str, str]], on_progress: OnProgress | None = None
    ) -> list[Entailment]:
        """Judge pairs by the softmax over all classes."""
        return as_entailments(self._probabilities(pairs, on_progress), self.head)

    def rank(self, query: str, candidates: Sequence[str]) -> list[RankedCandidate]:
        """Order candidates by how surely they follow from the query."""
        probabilities = self._probabilities([(query, candidate) for candidate in candidates], None)
        return as_ranking(candidates, probabilities[:, self.head.entailment])

    def _probabilities(self, pairs: Sequence[tuple[str, str]], on_progress: OnProgress | None) -> Scores:
        torch = require("torch", extra="torch")
        model, tokenizer = self.pipeline.model, self.pipeline.tokenizer

        def judge(some: Sequence[tuple[str, str]]) -> Scores:
            encoded = tokenizer(
                [premise for premise, _ in some],
                [hypothesis for _, hypothesis in some],
                padding=True,
                truncation="only_first",
                return_tensors="pt",
            )
            with torch.inference_mode():
                logits = model(**encoded.to(model.device)).logits
            return softmax(logits.float().cpu().numpy())

        return in_chunks(pairs, judge, size=self.batch_size, on_progress=on_progress)

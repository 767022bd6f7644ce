"""GLiClass's own zero-shot pipeline as a peer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import CheckpointError, DataError, require
from labelwise.evaluation.peers.opening import PeerOptions
from labelwise.evaluation.peers.shapes import (
    OnProgress,
    as_classifications,
    hypotheses_of,
    refuse_score_mode,
)
from labelwise.results import Classification
from labelwise.scores import softmax

__all__ = ["GliclassPeer"]

_BATCHES_PER_CALL = 4


@dataclass(frozen=True, slots=True)
class GliclassPeer:
    """``gliclass.ZeroShotClassificationPipeline``: all labels of a text in one pass.

    Attributes:
        pipeline: of gliclass.
        model: the network inside it.
        batch_size: texts in one forward pass.
    """

    tasks: ClassVar[frozenset[str]] = frozenset({"classify"})

    pipeline: Any
    model: Any
    batch_size: int

    @classmethod
    def open(cls, reference: str, options: PeerOptions) -> GliclassPeer:
        """Load a GLiClass checkpoint.

        Raises:
            CheckpointError: the library left weights out of the model, which some versions do silently.
        """
        library, transformers = require("gliclass", extra="peers"), require("transformers", extra="torch")
        settings = {"revision": options.revision} if options.revision else {}
        model, told = library.GLiClassModel.from_pretrained(
            reference, use_safetensors=True, output_loading_info=True, **settings
        )
        missing = sorted(told["missing_keys"])
        if missing:
            raise CheckpointError(
                f"gliclass found no weights for {len(missing)} tensors of {reference!r}, such as {missing[0]}"
            )
        device = options.torch_device
        model = model.to(options.torch_dtype).to(device)
        pipeline = library.ZeroShotClassificationPipeline(
            model,
            transformers.AutoTokenizer.from_pretrained(reference, **settings),
            classification_type="multi-label",
            device=device,
            progress_bar=False,
        )
        return cls(pipeline, model, options.batch_size)

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
        """Let labels compete: a softmax over the logits of a text, as in the pipeline's single-label mode."""
        refuse_score_mode(score_mode)
        wording = hypotheses_of(labels, hypothesis_template)
        return as_classifications(
            texts,
            list(wording),
            lambda some: softmax(self._logits(some, list(wording.values()))),
            size=self.batch_size * _BATCHES_PER_CALL,
            on_progress=on_progress,
        )

    def _logits(self, texts: Sequence[str], labels: Sequence[str]) -> NDArray[np.float32]:
        """Run the pipeline and read the logits off its model: its sigmoid scores are 1.0 from about 17 on."""
        parts: list[NDArray[np.float32]] = []

        def keep(_module: Any, _inputs: Any, output: Any) -> None:
            parts.append(output.logits.float().cpu().numpy())

        listening = self.model.register_forward_hook(keep)
        try:
            self.pipeline(list(texts), list(labels), threshold=0.0, batch_size=self.batch_size)
        finally:
            listening.remove()
        logits = np.concatenate(parts)
        if logits.shape != (len(texts), len(labels)):
            raise DataError(
                f"gliclass scored {logits.shape}, it must be {len(texts)} texts by {len(labels)} labels"
            )
        return logits

"""Other libraries, as their users run them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelwise.benchmarking.own_system import score_table
from labelwise.benchmarking.specs import AskSettings, SystemSpec
from labelwise.checkpoints.heads import NliHead
from labelwise.checkpoints.json_file import read_json_object
from labelwise.checkpoints.resolve import resolve
from labelwise.errors import require
from labelwise.evaluation.peers import PeerOptions, open_peer

__all__ = ["PeerSystem"]


@dataclass(frozen=True, slots=True)
class PeerSystem:
    """A peer of ``labelwise evaluate --peer``, which has the verbs of a labelwise model."""

    peer: Any
    hypothesis_template: str | None

    @classmethod
    def open(cls, spec: SystemSpec, settings: AskSettings) -> PeerSystem:
        """Load the checkpoint through the peer's own library."""
        reference = spec.model or settings.model
        if reference == "bundled":
            reference = str(resolve(reference))
        options = PeerOptions(
            revision=None if spec.model else settings.revision,
            device=settings.device,
            dtype=spec.dtype,
            batch_size=spec.batch_size or 1,
            threads=settings.threads,
        )
        if spec.kind == "cross-encoder" and spec.backend != "torch":
            peer = _cross_encoder_elsewhere(reference, spec.backend, options)
        else:
            peer = open_peer(spec.kind, reference, options=options)
        return cls(peer, settings.hypothesis_template)

    def score(self, texts: Sequence[str], labels: Sequence[str]) -> NDArray[np.float64]:
        """Return scores; see `labelwise.benchmarking.systems.System.score`."""
        results = self.peer.classify(texts, labels, hypothesis_template=self.hypothesis_template)
        return score_table(results, labels)


def _cross_encoder_elsewhere(reference: str, backend: str, options: PeerOptions) -> Any:
    """Open sentence-transformers' CrossEncoder on a runtime other than torch."""
    from labelwise.evaluation.peers.cross_encoder import CrossEncoderPeer

    library = require("sentence_transformers", extra="peers")
    encoder = library.CrossEncoder(
        reference, device="cpu", backend=backend, revision=options.revision, trust_remote_code=False
    )
    config = read_json_object(resolve(reference, revision=options.revision) / "config.json")
    return CrossEncoderPeer(encoder, NliHead.from_config(config), options.batch_size)

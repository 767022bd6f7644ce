"""Other systems behind the verbs of a labelwise model, so that all are measured by one protocol."""

from __future__ import annotations

from labelwise.evaluation.peers.opening import PEER_KINDS, PeerKind, PeerOptions, open_peer

__all__ = ["PEER_KINDS", "PeerKind", "PeerOptions", "open_peer"]

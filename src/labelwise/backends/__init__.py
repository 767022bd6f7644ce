"""Token ids in, logits out: onnxruntime, OpenVINO or torch behind one small protocol."""

from __future__ import annotations

from labelwise.backends.base import Backend
from labelwise.backends.opening import open_backend

__all__ = ["Backend", "open_backend"]

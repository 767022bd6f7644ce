"""Torch modules that no library has; importing this package registers them with transformers' Auto classes.

After ``import labelwise.models``, ``AutoConfig`` and ``AutoModel`` read GliZNet checkpoints (``model_type``
``"gliznet"``), GLiClass uni-encoder checkpoints (``"GLiClass"``) and multi-task checkpoints
(``"labelwise-multitask"``).

Raises:
    MissingExtraError: torch or transformers is not installed.
"""

from __future__ import annotations

from labelwise.errors import require

require("torch", extra="torch")
require("transformers", extra="torch")

# Only below the two checks: a missing extra must be named before these modules import it.
from labelwise.models.gliclass import GLiClassConfig, GLiClassModel, GLiClassOutput  # noqa: E402
from labelwise.models.gliznet import GliZNetConfig, GliZNetModel, GliZNetOutput  # noqa: E402
from labelwise.models.multitask import MultitaskConfig, MultitaskModel, MultitaskOutput  # noqa: E402
from labelwise.models.registration import register_with_transformers  # noqa: E402

__all__ = [
    "GLiClassConfig",
    "GLiClassModel",
    "GLiClassOutput",
    "GliZNetConfig",
    "GliZNetModel",
    "GliZNetOutput",
    "MultitaskConfig",
    "MultitaskModel",
    "MultitaskOutput",
]

register_with_transformers()

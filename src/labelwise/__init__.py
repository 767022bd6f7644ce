"""Answer questions about text with compact encoders and no training data.

>>> import labelwise
>>> model = labelwise.load()
>>> model.classify("My card was charged twice", labels=["billing", "delivery"]).best.label
'billing'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labelwise.errors import LabelwiseError
    from labelwise.loading import load
    from labelwise.model import Model
    from labelwise.results import Answer, Classification, Entailment, LabelScore, RankedCandidate

__version__ = "0.1.0"
__all__ = [
    "Answer",
    "Classification",
    "Entailment",
    "LabelScore",
    "LabelwiseError",
    "Model",
    "RankedCandidate",
    "load",
]

_HOMES = {"load": "loading", "Model": "model", "LabelwiseError": "errors"}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: importing labelwise itself loads no runtime."""
    if name not in __all__:
        raise AttributeError(f"module 'labelwise' has no attribute {name!r}")
    return getattr(importlib.import_module(f"labelwise.{_HOMES.get(name, 'results')}"), name)


def __dir__() -> list[str]:
    """List the public names."""
    return [*__all__, "__version__"]

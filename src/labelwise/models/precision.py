"""Half precision is for matrix products; sums that decide something are taken wider."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["at_least_float32"]


def at_least_float32(values: Tensor) -> Tensor:
    """Widen half precision to float32 and leave wider types alone."""
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values

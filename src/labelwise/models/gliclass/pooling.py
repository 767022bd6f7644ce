"""From the vectors of a text's tokens to one vector of the text.

The gliclass package pools without a mask, so its scores change with the padding of a batch. Here a row is
pooled as if it stood alone: equal to the package for a batch of one, and the same in any batch. Padding is
expected on the right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

__all__ = ["POOLINGS"]

Pooling = Callable[[Tensor, Tensor], Tensor]


def _first(states: Tensor, inside: Tensor) -> Tensor:
    return states[:, 0]


def _last(states: Tensor, inside: Tensor) -> Tensor:
    last_place = inside.sum(dim=-1).clamp(min=1) - 1
    return states[torch.arange(states.shape[0], device=states.device), last_place]


def _largest(states: Tensor, inside: Tensor) -> Tensor:
    return states.masked_fill(~inside.unsqueeze(-1), float("-inf")).amax(dim=1)


def _total(states: Tensor, inside: Tensor) -> Tensor:
    return states.masked_fill(~inside.unsqueeze(-1), 0.0).sum(dim=1)


def _average(states: Tensor, inside: Tensor) -> Tensor:
    return _total(states, inside) / inside.sum(dim=-1, keepdim=True).clamp(min=1)


def _root_mean_square(states: Tensor, inside: Tensor) -> Tensor:
    return _average(states.square(), inside).sqrt()


def _largest_magnitude(states: Tensor, inside: Tensor) -> Tensor:
    return _largest(states.abs(), inside)


def _average_magnitude(states: Tensor, inside: Tensor) -> Tensor:
    return _average(states.abs(), inside)


def _no_pooling(states: Tensor, inside: Tensor) -> Tensor:
    return states


POOLINGS: Mapping[str, Pooling] = {
    "first": _first,
    "last": _last,
    "max": _largest,
    "avg": _average,
    "sum": _total,
    "rms": _root_mean_square,
    "abs_max": _largest_magnitude,
    "abs_avg": _average_magnitude,
    "pass": _no_pooling,
}
"""Each reads states [batch, tokens, D] and a boolean [batch, tokens]; all but "pass" give [batch, D]."""

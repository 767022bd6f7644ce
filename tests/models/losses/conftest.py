"""The losses once more, entry by entry in float64 numpy, and small batches for them."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch


def binary(logits, targets, gamma=0.0, alpha=None):
    losses = []
    for z, y in zip(logits.ravel(), targets.ravel(), strict=True):
        if y == -100:
            continue
        probability = 1 / (1 + math.exp(-z))
        true_side = probability if y == 1 else 1 - probability
        weight = 1.0 if alpha is None else (alpha if y == 1 else 1 - alpha)
        losses.append(-weight * (1 - true_side) ** gamma * math.log(true_side))
    return sum(losses) / len(losses) if losses else 0.0


def one_vs_negatives(logits, targets, margin):
    row_losses = []
    for z, y in zip(logits, targets, strict=True):
        positives = [value for value, target in zip(z, y, strict=True) if target == 1]
        negatives = [value for value, target in zip(z, y, strict=True) if target == 0]
        losses = [math.log(math.exp(p) + sum(math.exp(n + margin) for n in negatives)) - p for p in positives]
        if losses:
            row_losses.append(sum(losses) / len(losses))
    return sum(row_losses) / len(row_losses) if row_losses else 0.0


def repulsion(vectors, target=1.0):
    count, width = vectors.shape
    if count < 2:
        return 0.0
    means = [sum(vectors[:, d]) / count for d in range(width)]

    def covariance(i, j):
        products = [(row[i] - means[i]) * (row[j] - means[j]) for row in vectors]
        return sum(products) / (count - 1)

    spread = [max(0.0, target - math.sqrt(covariance(d, d) + 1e-4)) for d in range(width)]
    overlap = sum(covariance(i, j) ** 2 for i in range(width) for j in range(width) if i != j)
    return sum(spread) / width + 0.04 * overlap / width


def sample_repulsion(vectors, present, target=0.05):
    losses = []
    for row, is_there in zip(vectors, present, strict=True):
        lengths_one = np.array([vector / np.linalg.norm(vector) for vector in row[is_there]])
        if len(lengths_one) >= 2:
            losses.append(repulsion(lengths_one, target))
    return sum(losses) / len(losses) if losses else 0.0


@pytest.fixture
def reference():
    return SimpleNamespace(
        binary=binary,
        one_vs_negatives=one_vs_negatives,
        repulsion=repulsion,
        sample_repulsion=sample_repulsion,
    )


@pytest.fixture
def targets():
    """Rows with both kinds, without negatives, without positives, and with nothing known."""
    return torch.tensor(
        [
            [1, 0, 0, 1, -100],
            [1, 1, -100, -100, -100],
            [0, 0, 0, -100, -100],
            [-100, -100, -100, -100, -100],
            [0, 1, 0, 0, 1],
        ]
    )


@pytest.fixture
def logits(targets):
    """Float64 logits, -inf where the target is unknown, as a model gives them."""
    values = torch.randn(targets.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 2
    return values.masked_fill(targets == -100, float("-inf"))

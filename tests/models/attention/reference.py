"""Disentangled attention written out densely in float64, from the paper's formula alone."""

from __future__ import annotations

import torch
from torch import Tensor

from labelwise.models.attention import PackedLayout, PositionTables


def dense_attention(query, key, value, *, lengths, positions, scale) -> Tensor:
    query, key, value = query.double(), key.double(), value.double()
    results = []
    start = 0
    for length in lengths:
        rows = slice(start, start + length)
        start += length
        content = torch.einsum("ihd,jhd->hij", query[rows], key[rows])
        places = torch.arange(length)
        distance = (places[:, None] - places[None, :]).clamp(-positions.reach, positions.reach)
        index = distance + positions.reach
        if positions.keys is not None:
            content += torch.einsum("ihd,hijd->hij", query[rows], positions.keys.double()[:, index])
        if positions.queries is not None:
            content += torch.einsum("jhd,hijd->hij", key[rows], positions.queries.double()[:, index])
        weights = (scale * content).softmax(dim=-1)
        results.append(torch.einsum("hij,jhd->ihd", weights, value[rows]))
    return torch.cat(results)


def random_case(lengths, *, heads, head_size, reach, dtype, seed=0, size=1.0, kinds=("keys", "queries")):
    """Return inputs of one packed batch: query, key and value are slices of one product, as in the model."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return (size * torch.randn(*shape, generator=generator, dtype=torch.float64)).to(dtype)

    query, key, value = draw(sum(lengths), 3, heads, head_size).unbind(1)
    tables = {kind: draw(heads, 2 * reach + 1, head_size) for kind in kinds}
    positions = PositionTables(keys=tables.get("keys"), queries=tables.get("queries"))
    return query, key, value, positions, (head_size * (1 + len(kinds))) ** -0.5


def first_rows(lengths):
    starts = [sum(lengths[:place]) for place in range(len(lengths))]
    return [start for start, length in zip(starts, lengths, strict=True) if length]


__all__ = ["PackedLayout", "dense_attention", "first_rows", "random_case"]

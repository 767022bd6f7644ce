"""One layer's relative positions, projected once per model and laid out by distance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from labelwise.errors import InputError
from labelwise.graphs.buckets import row_of_distance
from labelwise.graphs.relative_positions import RelativeSettings

__all__ = ["PositionTables"]


@dataclass(frozen=True, slots=True)
class PositionTables:
    """What the position scores read: rows by the distance query - key, from -reach to reach.

    Neighbouring distances stand next to each other, so that a tile of scores reads one contiguous window.
    Both tables have shape [heads, 2 * reach + 1, head_size]; distances beyond the reach read the end rows.

    Raises:
        InputError: the tables differ in shape, or have an even number of rows.
    """

    keys: Tensor | None
    """What a query's content meets (content to position); None where the model has no such score."""
    queries: Tensor | None
    """What a key's content meets (position to content); None where the model has no such score."""

    def __post_init__(self) -> None:
        shapes = {tuple(table.shape) for table in (self.keys, self.queries) if table is not None}
        if len(shapes) > 1 or any(len(shape) != 3 or shape[1] % 2 == 0 for shape in shapes):
            raise InputError(
                "position tables must share one shape [heads, 2 * reach + 1, head_size], "
                f"got {sorted(shapes)}"
            )

    @property
    def reach(self) -> int:
        """The largest distance that has a row of its own."""
        table = self.keys if self.keys is not None else self.queries
        return 0 if table is None else (table.shape[1] - 1) // 2

    @classmethod
    def project(
        cls,
        rows: Tensor,
        settings: RelativeSettings,
        *,
        num_heads: int,
        to_key: Callable[[Tensor], Tensor] | None,
        to_query: Callable[[Tensor], Tensor] | None,
    ) -> PositionTables:
        """Project the embeddings of relative positions (arXiv 2006.03654, equation 4).

        Args:
            rows: [settings.num_rows, hidden], normalised where the model does so.
            settings: What config.json says about relative positions.
            num_heads: Heads that share the projected width.
            to_key: The layer's projection for content to position.
            to_query: The layer's projection for position to content.
        """
        of_distance = row_of_distance(num_buckets=settings.num_buckets, max_distance=settings.max_distance)
        index = torch.from_numpy(of_distance).to(rows.device)

        def table(projection: Callable[[Tensor], Tensor] | None) -> Tensor | None:
            if projection is None:
                return None
            by_row = projection(rows)
            by_head = by_row.view(len(by_row), num_heads, -1).transpose(0, 1)
            return by_head[:, index].contiguous()

        return cls(keys=table(to_key), queries=table(to_query))

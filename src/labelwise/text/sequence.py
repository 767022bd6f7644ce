"""One row of ids, as a backend reads it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import InputError


@dataclass(frozen=True, slots=True)
class TokenSequence:
    """One row for the model: control ids included, no padding.

    All parts but ``label_positions`` have shape (n,). ``label_positions`` and ``text_mask`` are for joint
    models: where each label's vector stands, and which tokens are text. ``segment_ids`` and ``position_ids``
    are for the multi-task model: 0 on the text and k on the k-th label's tokens, and what each token counts
    as its place.

    Raises:
        InputError: the parts do not have the same length, or a label stands outside the row.
    """

    ids: NDArray[np.int64]
    token_types: NDArray[np.int64] | None = None
    label_positions: NDArray[np.int64] | None = None
    text_mask: NDArray[np.bool_] | None = None
    segment_ids: NDArray[np.int64] | None = None
    position_ids: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        if self.ids.ndim != 1:
            raise InputError(f"ids must be one row, got shape {self.ids.shape}")
        for name in ("token_types", "text_mask", "segment_ids", "position_ids"):
            part = getattr(self, name)
            if part is not None and part.shape != self.ids.shape:
                raise InputError(
                    f"{name} has shape {part.shape}, but ids has {self.ids.shape}: give one per id"
                )
        positions = self.label_positions
        if (
            positions is not None
            and positions.size
            and not 0 <= positions.min() <= positions.max() < len(self)
        ):
            raise InputError(
                f"label positions {positions.min()} to {positions.max()} do not fit a row of {len(self)} ids"
            )

    def __len__(self) -> int:
        return int(self.ids.shape[0])

"""One row of ids, as a backend reads it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import InputError


@dataclass(frozen=True, slots=True)
class TokenSequence:
    """One row for the model: control ids included, no padding.

    ``ids`` and, where given, ``token_types`` and ``text_mask`` have shape (n,). ``label_positions`` and
    ``text_mask`` are for joint models: where each label's vector stands, and which tokens are text.

    Raises:
        InputError: the parts do not have the same length, or a label stands outside the row.
    """

    ids: NDArray[np.int64]
    token_types: NDArray[np.int64] | None = None
    label_positions: NDArray[np.int64] | None = None
    text_mask: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        if self.ids.ndim != 1:
            raise InputError(f"ids must be one row, got shape {self.ids.shape}")
        for name, part in (("token_types", self.token_types), ("text_mask", self.text_mask)):
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

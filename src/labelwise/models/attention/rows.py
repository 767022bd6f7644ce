"""Padded rows to packed tokens and back."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from labelwise.errors import InputError

__all__ = ["PackedRows"]


@dataclass(frozen=True, slots=True)
class PackedRows:
    """Which tokens of a padded batch are real, and where they stand once packed end to end."""

    shape: tuple[int, int]
    lengths: list[int]
    places: Tensor
    """[tokens]: where each packed token stands in the flattened batch."""
    positions: Tensor
    """[tokens]: each packed token's place in its row."""
    first_tokens: Tensor
    """The packed places of the first tokens of the rows that have any."""
    rows_with_tokens: Tensor

    @classmethod
    def of(cls, attention_mask: Tensor, *, device: torch.device) -> PackedRows:
        """Read a mask [rows, tokens] of ones followed by zeros; the one place where the host must know it.

        Raises:
            InputError: a row has padding before or between its tokens.
        """
        is_token = attention_mask.cpu() != 0
        lengths = is_token.sum(dim=1)
        columns = torch.arange(is_token.shape[1])
        if not torch.equal(is_token, columns < lengths.unsqueeze(1)):
            raise InputError("padding stands before or between tokens: put it after them")
        places = is_token.flatten().nonzero().squeeze(1)
        rows_with_tokens = lengths.nonzero().squeeze(1)
        return cls(
            shape=(is_token.shape[0], is_token.shape[1]),
            lengths=lengths.tolist(),
            places=places.to(device),
            positions=(places % max(1, is_token.shape[1])).to(device),
            first_tokens=(lengths.cumsum(0) - lengths)[rows_with_tokens].to(device),
            rows_with_tokens=rows_with_tokens.to(device),
        )

    def pack(self, padded: Tensor) -> Tensor:
        """Take the real tokens out of [rows, tokens]."""
        return padded.flatten()[self.places]

    def unpack(self, packed: Tensor) -> Tensor:
        """Put one number per token back to [rows, tokens], zero on padding."""
        padded = packed.new_zeros(self.shape)
        padded.view(-1)[self.places] = packed
        return padded

    def spread_first(self, packed: Tensor) -> Tensor:
        """Put one vector per row that has tokens back to [rows, width], zeros for the others."""
        spread = packed.new_zeros(self.shape[0], packed.shape[-1])
        spread[self.rows_with_tokens] = packed
        return spread

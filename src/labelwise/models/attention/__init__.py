"""DeBERTa's disentangled attention without padding and without position tensors, for the GPU."""

from __future__ import annotations

from labelwise.models.attention.dispatch import disentangled_attention
from labelwise.models.attention.layout import PackedLayout
from labelwise.models.attention.packed import PackedDeberta, is_packable, packed_on_gpu
from labelwise.models.attention.positions import PositionTables

__all__ = [
    "PackedDeberta",
    "PackedLayout",
    "PositionTables",
    "disentangled_attention",
    "is_packable",
    "packed_on_gpu",
]

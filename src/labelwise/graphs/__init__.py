"""ONNX graphs of our own, built straight from config.json and weights, without torch.

The graph's inputs are ``input_ids`` and ``attention_mask`` (int64, ``[batch, tokens]``) and, where the model
tells its two texts apart by type (``type_vocab_size > 1``), ``token_type_ids`` of the same shape. The
multi-task graph has ``segment_ids`` in the place of the mask, and ``position_ids``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from labelwise.graphs.families import HAS_BUILDER, HeadKind, WeightFormat, has_builder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnx import ModelProto

__all__ = ["HAS_BUILDER", "HeadKind", "WeightFormat", "build_graph", "has_builder"]


def build_graph(
    config: Mapping[str, Any],
    tensors: Mapping[str, NDArray[np.float32]],
    *,
    head: HeadKind,
    fused: bool = True,
    weights: WeightFormat = "float32",
) -> ModelProto:
    """Build the ONNX graph of an encoder with its head.

    Args:
        config: the parsed config.json; its ``model_type``, or in a joint model the encoder's, must be in
            ``HAS_BUILDER``.
        tensors: the checkpoint's weights by name; each is read once, so a lazy mapping is fine.
        head: ``"sequence-classification"`` gives ``logits`` float32 ``[batch, classes]``;
            ``"question-answering"`` gives ``start_logits`` and ``end_logits`` float32 ``[batch, tokens]``
            (padded positions hold numbers without meaning); ``"joint-labels"`` (GliZNet, GLiClass) gives
            ``logits`` float32 ``[batch, labels]`` and takes ``label_positions`` int64 ``[batch, labels]``, -1
            where a row has fewer labels, and for GliZNet ``text_mask`` int64 ``[batch, tokens]``;
            ``"multitask"`` gives ``label_logits``, ``entail_logits``, ``start_logits`` and ``end_logits``.
        fused: use onnxruntime's own operators where they pay; False keeps to the ONNX standard.
        weights: ``"int8"`` stores embeddings and the layers' matrices in 8 bits. With ``fused`` the products
            run in 8 bits too, each row scaled by itself; without, weights are widened when they are used.

    Raises:
        CheckpointError: the config asks for something no builder knows, or a tensor is missing or has the
            wrong shape.
    """
    # onnx is imported only when a graph is really built: a ready-made file starts faster without it.
    from labelwise.graphs.build import build_model

    return build_model(config, tensors, head=head, fused=fused, weights=weights)

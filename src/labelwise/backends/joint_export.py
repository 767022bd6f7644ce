"""Export a joint model as an ONNX graph, and keep it only when it gives torch's logits.

For encoders and heads that have no builder: ModernBERT, and GLiClass's rarer options.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from labelwise.backends.heads import HeadOutputs
from labelwise.backends.onnx import OnnxBackend, start_session
from labelwise.backends.pad import pad
from labelwise.backends.torch import TorchBackend, load_model
from labelwise.backends.torch_export import check_parity, quiet_export
from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.families import pad_token_id
from labelwise.checkpoints.joint_heads import GliclassHead, GliznetHead
from labelwise.errors import BackendError, MissingExtraError, require
from labelwise.graphs.nested import encoder_config_of
from labelwise.text.joint import JointLayout
from labelwise.text.label_list import LabelListLayout
from labelwise.text.label_prompt import LabelPromptLayout
from labelwise.text.sequence import TokenSequence

if TYPE_CHECKING:
    import onnx

__all__ = ["export_joint_graph"]

# (text tokens, labels) of the rows of each batch that the parity check runs.
_CHECKED_ROWS = (((1, 1),), ((9, 5),), ((37, 2), (5, 9)), ((20, 3), (20, 3), (3, 1)))
_TRACED_ROWS = ((12, 3), (9, 2))
_LABEL_TOKENS = (1, 3, 2)
_USUAL_VOCAB_SIZE = 30_000


def export_joint_graph(checkpoint: Checkpoint) -> onnx.ModelProto:
    """Export a checkpoint with free batch, length and number of labels.

    Raises:
        MissingExtraError: torch, transformers or onnxscript is not installed.
        CheckpointError: the weights cannot be loaded, or the model has an option that is not supported.
        BackendError: the export fails, or a logit differs from torch's by more than 1e-4.
    """
    try:
        for module in ("torch", "transformers", "onnxscript"):
            require(module, extra="torch")
    except MissingExtraError as error:
        raise MissingExtraError(
            f"{checkpoint.ref!r} has an encoder or head without a graph builder, so it is exported once "
            "through torch: pip install 'labelwise[torch]' (later runs do without)"
        ) from error
    forward = load_model(checkpoint)
    pad_id = pad_token_id(checkpoint.config)
    head = HeadOutputs.of(checkpoint)
    rows = _RowMaker(checkpoint)
    graph = _export(checkpoint, forward.model, rows.make(_TRACED_ROWS), pad_id=pad_id)
    ours = OnnxBackend(start_session(graph.SerializeToString(), threads=1), head=head, pad_id=pad_id)
    theirs = TorchBackend(forward, head=head, pad_id=pad_id)
    for shapes in _CHECKED_ROWS:
        batch = rows.make(shapes)
        check_parity(checkpoint, ours.run(batch), theirs.run(batch))
    return graph


def _export(checkpoint: Checkpoint, model: Any, rows: list[TokenSequence], *, pad_id: int) -> onnx.ModelProto:
    import torch

    from labelwise.backends.joint_positions import GliclassPositions, GliznetPositions

    is_gliznet = isinstance(checkpoint.head, GliznetHead)
    names = ["input_ids", "attention_mask", "label_positions", *(["text_mask"] if is_gliznet else [])]
    batch = pad(rows, pad_token_id=pad_id)
    free = {axis: torch.export.Dim(axis) for axis in ("batch", "tokens", "labels")}
    axes = {name: {0: free["batch"], 1: free["tokens"]} for name in names}
    axes["label_positions"] = {0: free["batch"], 1: free["labels"]}
    module = GliznetPositions(model) if is_gliznet else GliclassPositions(model)
    try:
        with quiet_export():
            program = torch.onnx.export(
                module.eval(),
                tuple(torch.from_numpy(batch.array(name)) for name in names),
                dynamo=True,
                dynamic_shapes=tuple(axes[name] for name in names),
                input_names=names,
                output_names=["logits"],
                verbose=False,
            )
    except Exception as error:  # the exporter wraps whatever a model raises while it is traced
        reason = " ".join(str(error).split())[:200]
        raise BackendError(
            f"{checkpoint.ref!r} cannot be exported ({reason}): use backend='torch'"
        ) from error
    assert program is not None
    return program.model_proto


class _RowMaker:
    """Makes rows of random tokens in the checkpoint's layout."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        head = checkpoint.head
        vocab_size = encoder_config_of(checkpoint.config).get("vocab_size", _USUAL_VOCAB_SIZE)
        self._random = np.random.default_rng(0)
        shared = {"max_tokens": checkpoint.max_tokens, "max_labels": 100, "min_text_tokens": 1}
        self._layout: JointLayout
        if isinstance(head, GliznetHead):
            lab = -1 if head.lab_token_id is None else head.lab_token_id
            control = {lab}
            self._layout = LabelListLayout(cls=1, sep=2, lab=lab, **shared)
        else:
            assert isinstance(head, GliclassHead)
            example = int(checkpoint.config.get("example_token_index", -1))
            control = {head.label_token_id, head.text_token_id, example}
            self._layout = LabelPromptLayout(
                prefix=(1,),
                suffix=(2,),
                label=head.label_token_id,
                text=head.text_token_id,
                is_prompt_first=head.prompt_first,
                **shared,
            )
        self._ordinary = np.setdiff1d(np.arange(vocab_size), [*control, pad_token_id(checkpoint.config)])

    def make(self, shapes: tuple[tuple[int, int], ...]) -> list[TokenSequence]:
        return [self._row(num_text, num_labels) for num_text, num_labels in shapes]

    def _row(self, num_text: int, num_labels: int) -> TokenSequence:
        labels = [self._ids(_LABEL_TOKENS[number % len(_LABEL_TOKENS)]) for number in range(num_labels)]
        return self._layout.assemble(self._ids(num_text), labels)

    def _ids(self, count: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        return self._random.choice(self._ordinary, size=count).astype(np.int64)

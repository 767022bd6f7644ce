"""Export a torch model as an ONNX graph, and keep it only when both give the same logits."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labelwise.backends.heads import HeadOutputs
from labelwise.backends.onnx import OnnxBackend, start_session
from labelwise.backends.pad import pad
from labelwise.backends.torch import TorchBackend, input_names, load_model
from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.families import pad_token_id
from labelwise.errors import BackendError, MissingExtraError, require
from labelwise.text.sequence import TokenSequence

if TYPE_CHECKING:
    import onnx

__all__ = ["check_parity", "export_graph", "quiet_export"]

_MAX_DIFFERENCE = 1e-4
# The batches that the parity check runs: row lengths, mixed so that there is padding.
_CHECKED_LENGTHS = ((1,), (9,), (37, 5), (100, 64, 2), (16, 16, 16))
_TRACED_LENGTHS = (12, 9)
# Their head reads the last </s>, which transformers picks by a mask of unknown size; that cannot be traced.
_POOLED_AT_LAST_EOS = frozenset({"bart", "mbart"})


def export_graph(checkpoint: Checkpoint) -> onnx.ModelProto:
    """Export a checkpoint through ``torch.onnx.export(dynamo=True)`` with free batch and length.

    Raises:
        MissingExtraError: torch, transformers or onnxscript is not installed.
        CheckpointError: the weights cannot be loaded.
        BackendError: the export fails, or a logit differs from torch's by more than 1e-4.
    """
    try:
        for module in ("torch", "transformers", "onnxscript"):
            require(module, extra="torch")
    except MissingExtraError as error:
        raise MissingExtraError(
            f"{checkpoint.ref!r} is a {checkpoint.family} model without an ONNX file, so it is exported once "
            "through torch: pip install 'labelwise[torch]' (later runs do without)"
        ) from error
    model = load_model(checkpoint)
    head = HeadOutputs.of(checkpoint)
    rows = _RowMaker(checkpoint, vocab_size=model.config.vocab_size)
    graph = _export(checkpoint, model, head, rows.make(_TRACED_LENGTHS))
    pad_id = pad_token_id(checkpoint.config)
    ours = OnnxBackend(start_session(graph.SerializeToString(), threads=1), head=head, pad_id=pad_id)
    theirs = TorchBackend(model, head=head, pad_id=pad_id)
    for lengths in _CHECKED_LENGTHS:
        batch = rows.make(lengths)
        check_parity(checkpoint, ours.run(batch), theirs.run(batch))
    return graph


class _RowMaker:
    """Makes rows of random tokens that end as the family's rows do."""

    def __init__(self, checkpoint: Checkpoint, *, vocab_size: int) -> None:
        config = checkpoint.config
        self._random = np.random.default_rng(0)
        self._max_tokens = checkpoint.max_tokens
        self._last = config.get("eos_token_id", config.get("sep_token_id"))
        control = {self._last, config.get("bos_token_id"), pad_token_id(config)}
        self._ordinary = np.setdiff1d(np.arange(vocab_size), [i for i in control if i is not None])

    def make(self, lengths: tuple[int, ...]) -> list[TokenSequence]:
        return [self._row(min(length, self._max_tokens)) for length in lengths]

    def _row(self, length: int) -> TokenSequence:
        ids = self._random.choice(self._ordinary, size=length).astype(np.int64)
        if self._last is not None:
            ids[-1] = self._last
        types = (np.arange(length) >= length // 2).astype(np.int64)
        return TokenSequence(ids=ids, token_types=types)


def _export(
    checkpoint: Checkpoint, model: Any, head: HeadOutputs, example: list[TokenSequence]
) -> onnx.ModelProto:
    torch = require("torch", extra="torch")
    names = input_names(model)
    batch = pad(example, pad_token_id=pad_token_id(checkpoint.config))
    free = {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens")}
    model.config.use_cache = False
    try:
        with quiet_export():
            program = torch.onnx.export(
                _logits_only(torch, model, head, pools_at_eos=checkpoint.family in _POOLED_AT_LAST_EOS),
                tuple(torch.from_numpy(batch.array(name)) for name in names),
                dynamo=True,  # the older exporter was seen to be silently wrong
                dynamic_shapes=((free,) * len(names),),
                input_names=list(names),
                output_names=list(head.names),
                verbose=False,
            )
    except Exception as error:  # the exporter wraps whatever a model raises while it is traced
        reason = " ".join(str(error).split())[:200]
        raise BackendError(
            f"{checkpoint.ref!r} cannot be exported ({reason}): use backend='torch', or a checkpoint with an "
            "ONNX file"
        ) from error
    return program.model_proto


def _logits_only(torch: Any, model: Any, head: HeadOutputs, *, pools_at_eos: bool) -> Any:
    """Wrap a model so that it takes arrays by position and returns the head's outputs as a tuple."""
    names = input_names(model)

    class LogitsOnly(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *arrays: Any) -> tuple[Any, ...]:
            feed = dict(zip(names, arrays, strict=True))
            if pools_at_eos and head.kind == "sequence-classification":
                return (self._pooled(**feed),)
            result = self.model(**feed)
            return tuple(result[name] for name in head.names)

        def _pooled(self, input_ids: Any, attention_mask: Any) -> Any:
            hidden = self.model.model(input_ids=input_ids, attention_mask=attention_mask, use_cache=False)[0]
            is_eos = input_ids.eq(self.model.config.eos_token_id).long()
            last = (torch.arange(input_ids.shape[1]) * is_eos).amax(dim=1)
            rows = hidden.gather(1, last[:, None, None].expand(-1, 1, hidden.shape[-1]))
            return self.model.classification_head(rows[:, 0])

    return LogitsOnly().eval()


def check_parity(
    checkpoint: Checkpoint, ours: tuple[NDArray[np.float32], ...], theirs: tuple[NDArray[np.float32], ...]
) -> None:
    """Refuse an exported graph whose outputs are not torch's.

    Raises:
        BackendError: a number differs by more than 1e-4.
    """
    for exported, original in zip(ours, theirs, strict=True):
        own = np.isfinite(original)
        difference = float(np.abs(exported[own] - original[own]).max())
        if difference > _MAX_DIFFERENCE:
            raise BackendError(
                f"{checkpoint.ref!r}: the exported graph differs from torch by {difference:.1e} (at most "
                f"{_MAX_DIFFERENCE:.0e} is allowed), so it is not kept: use backend='torch'"
            )


@contextlib.contextmanager
def quiet_export() -> Iterator[None]:
    """Keep the exporter's progress report, warnings and log off the user's screen."""
    silenced = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(silenced)

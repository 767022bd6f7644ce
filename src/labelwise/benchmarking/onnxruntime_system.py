"""onnxruntime on the graph that labelwise runs, without labelwise's planning of batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelwise.backends.graph_source import graph_of
from labelwise.backends.pad import pad
from labelwise.benchmarking.specs import AskSettings, SystemSpec
from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.families import pad_token_id
from labelwise.checkpoints.heads import NliHead
from labelwise.checkpoints.opening import open_checkpoint
from labelwise.errors import TaskNotSupportedError
from labelwise.scores import softmax
from labelwise.template import DEFAULT_TEMPLATE, HypothesisTemplate
from labelwise.text.pair import PairLayout
from labelwise.text.sequence import TokenSequence
from labelwise.text.tokenizer import TextTokenizer

__all__ = ["OnnxruntimeSystem"]

_INTEGERS = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}


@dataclass(frozen=True, slots=True)
class OnnxruntimeSystem:
    """Pairs in the order given, so many to a batch, padded to its longest row; a session with usual settings.

    What lies between it and ``labelwise:onnx`` is the planning of batches and the session's settings.
    """

    session: Any
    tokenizer: TextTokenizer
    layout: PairLayout
    entailment: int
    template: HypothesisTemplate
    batch_size: int
    pad_id: int

    @classmethod
    def open(cls, spec: SystemSpec, settings: AskSettings) -> OnnxruntimeSystem:
        """Start a session on the checkpoint's graph.

        Raises:
            TaskNotSupportedError: the checkpoint is no entailment model.
        """
        import onnxruntime

        revision = None if spec.model else settings.revision
        checkpoint = open_checkpoint(spec.model or settings.model, revision=revision)
        if not isinstance(checkpoint.head, NliHead):
            raise TaskNotSupportedError(f"{spec.name} runs entailment models: {checkpoint.ref!r} is none")
        tokenizer = TextTokenizer.from_folder(checkpoint.folder)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        if settings.threads is not None:
            options.intra_op_num_threads = settings.threads
        graph = graph_of(checkpoint, fused=True)
        return cls(
            session=onnxruntime.InferenceSession(
                str(graph) if isinstance(graph, Path) else graph, options, providers=["CPUExecutionProvider"]
            ),
            tokenizer=tokenizer,
            layout=PairLayout.for_model(
                checkpoint.config, tokenizer.control, max_tokens=checkpoint.max_tokens
            ),
            entailment=checkpoint.head.entailment,
            template=_template(checkpoint, settings),
            batch_size=spec.batch_size or 1,
            pad_id=pad_token_id(checkpoint.config),
        )

    def score(self, texts: Sequence[str], labels: Sequence[str]) -> NDArray[np.float64]:
        """Return scores; see `labelwise.benchmarking.systems.System.score`."""
        rows = self._rows(texts, labels)
        batches = [rows[start : start + self.batch_size] for start in range(0, len(rows), self.batch_size)]
        logits = np.concatenate([self._logits(batch) for batch in batches])
        return softmax(logits[:, self.entailment].reshape(len(texts), len(labels)).astype(np.float64))

    def _rows(self, texts: Sequence[str], labels: Sequence[str]) -> list[TokenSequence]:
        hypotheses = self.tokenizer.encode_many([self.template.fill(label) for label in labels])
        room = self.layout.max_tokens - self.layout.num_control_tokens
        return [
            self.layout.assemble(text.ids[: room - len(hypothesis)], hypothesis.ids)
            for text in self.tokenizer.encode_many(texts)
            for hypothesis in hypotheses
        ]

    def _logits(self, rows: Sequence[TokenSequence]) -> NDArray[np.float32]:
        batch = pad(rows, pad_token_id=self.pad_id)
        feed = {
            entry.name: batch.array(entry.name).astype(_INTEGERS[entry.type], copy=False)
            for entry in self.session.get_inputs()
        }
        (logits,) = self.session.run(["logits"], feed)
        return np.asarray(logits, dtype=np.float32)


def _template(checkpoint: Checkpoint, settings: AskSettings) -> HypothesisTemplate:
    own = checkpoint.settings.hypothesis_template
    return HypothesisTemplate(settings.hypothesis_template or own or DEFAULT_TEMPLATE)

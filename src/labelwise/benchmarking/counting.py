"""Count the tokens that a model reads for a workload, without running it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelwise.backends.heads import HeadOutputs
from labelwise.backends.pad import pad
from labelwise.benchmarking.matrix_rate import MatrixProducts
from labelwise.benchmarking.operations import layer_shapes, useful_operations
from labelwise.benchmarking.row_demand import RowDemand
from labelwise.benchmarking.specs import AskSettings, SystemSpec
from labelwise.benchmarking.workload import Workload
from labelwise.errors import LabelwiseError
from labelwise.loading import load
from labelwise.model import Model
from labelwise.text.sequence import TokenSequence

__all__ = ["RowCounter", "RowCounters", "WorkloadSize"]


@dataclass(frozen=True, slots=True)
class WorkloadSize:
    """What a model must do for a workload: tokens without padding, and operations where they are known."""

    num_tokens: int
    num_operations: float | None


@dataclass(frozen=True, slots=True)
class RowCounter:
    """A model whose network is replaced by a count of its rows."""

    model: Model
    backend: _CountingBackend

    @classmethod
    def open(cls, ref: str, *, revision: str | None = None) -> RowCounter:
        """Load a checkpoint."""
        model = load(ref, revision=revision)
        backend = _CountingBackend(HeadOutputs.of(model.checkpoint))
        return cls(replace(model, backend=backend), backend)

    @property
    def config(self) -> Mapping[str, Any]:
        """The checkpoint's config.json."""
        return self.model.checkpoint.config

    def size(self, workload: Workload, *, hypothesis_template: str | None = None) -> WorkloadSize:
        """Count what the model reads for a workload, long texts cut."""
        self.backend.demands.clear()
        self.model.classify(
            list(workload.texts),
            list(workload.labels),
            hypothesis_template=hypothesis_template,
            truncation="truncate",
        )
        demands = list(self.backend.demands)
        num_tokens = sum(row.num_tokens for row in demands)
        return WorkloadSize(num_tokens, useful_operations(self.config, demands))


class RowCounters:
    """The counters of all checkpoints in a run, each opened once; None where labelwise cannot read one."""

    def __init__(self, settings: AskSettings) -> None:
        self._settings = settings
        self._by_ref: dict[str, RowCounter | None] = {}

    def with_own_template(self) -> AskSettings:
        """Return the settings with the shared checkpoint's own template, so that all systems use it."""
        counter = self._counter(self._settings.model)
        if self._settings.hypothesis_template is None and counter is not None:
            template = counter.model.checkpoint.settings.hypothesis_template
            self._settings = replace(self._settings, hypothesis_template=template)
        return self._settings

    def size(self, spec: SystemSpec, workload: Workload) -> WorkloadSize | None:
        """Return how much a system must do for a workload."""
        counter = self._counter(spec.model or self._settings.model)
        if counter is None:
            return None
        return counter.size(workload, hypothesis_template=self._settings.hypothesis_template)

    def products(self, workload: Workload) -> MatrixProducts | None:
        """Return matrix products of the shared checkpoint's shapes."""
        counter = self._counter(self._settings.model)
        shapes = [] if counter is None else layer_shapes(counter.config)
        if counter is None or not shapes:
            return None
        tokens = counter.size(workload, hypothesis_template=self._settings.hypothesis_template).num_tokens
        return MatrixProducts.of_shapes(shapes, num_tokens=tokens, threads=self._settings.threads)

    def _counter(self, ref: str) -> RowCounter | None:
        if ref not in self._by_ref:
            revision = self._settings.revision if ref == self._settings.model else None
            try:
                self._by_ref[ref] = RowCounter.open(ref, revision=revision)
            except LabelwiseError:
                self._by_ref[ref] = None
        return self._by_ref[ref]


@dataclass(frozen=True, slots=True)
class _CountingBackend:
    head: HeadOutputs
    demands: list[RowDemand] = field(default_factory=list)

    @property
    def name(self) -> str:
        return "count"

    def run(
        self, sequences: Sequence[TokenSequence], *, outputs: Sequence[str] | None = None
    ) -> tuple[NDArray[np.float32], ...]:
        """Note what the rows ask for and answer with zeros of the right shapes."""
        head = self.head.only(outputs)
        self.demands.extend(RowDemand.of(row, head=head.kind, outputs=head.names) for row in sequences)
        return head.zeros(pad(sequences, pad_token_id=0))

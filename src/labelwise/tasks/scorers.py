"""Which scorer suits a checkpoint: by its head and its layout."""

from __future__ import annotations

from dataclasses import dataclass

from labelwise.backends.base import Backend
from labelwise.backends.views import HeadView
from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.heads import MultitaskHead, NliHead
from labelwise.checkpoints.settings import ScoreKind
from labelwise.scores import ScoreMode
from labelwise.tasks.answer import SpanReader
from labelwise.tasks.classify import LabelScorer, NliLabelScorer
from labelwise.tasks.isolated import IsolatedLabelScorer
from labelwise.tasks.joint import JointLabelScorer
from labelwise.tasks.pairs import PairScorer
from labelwise.template import DEFAULT_TEMPLATE, HypothesisTemplate
from labelwise.text.isolated_labels import IsolatedLabelsLayout
from labelwise.text.label_list import LabelListLayout
from labelwise.text.label_prompt import LabelPromptLayout
from labelwise.text.pair import PairLayout
from labelwise.text.tokenizer import TextTokenizer

__all__ = ["Layout", "Scorers"]

Layout = PairLayout | LabelListLayout | LabelPromptLayout


@dataclass(frozen=True, slots=True)
class Scorers:
    """Makes what runs each verb from the parts of a loaded model.

    Attributes:
        checkpoint: what was loaded.
        tokenizer: encodes text.
        layout: of its rows.
        backend: runs the network.
        batch_tokens: the most tokens in one padded batch.
    """

    checkpoint: Checkpoint
    tokenizer: TextTokenizer
    layout: Layout
    backend: Backend
    batch_tokens: int

    def labels(
        self, kind: ScoreKind, template: str | None, score_mode: ScoreMode, label_orders: int
    ) -> LabelScorer:
        """Return what scores labels: all in one row, or one premise and hypothesis for each."""
        settings = self.checkpoint.settings
        chosen = settings.hypothesis_template if template is None else template
        temperature = settings.temperature_of(kind)
        if isinstance(self.checkpoint.head, MultitaskHead):
            return IsolatedLabelScorer(
                tokenizer=self.tokenizer,
                layout=IsolatedLabelsLayout.beside(self._pair_layout),
                backend=HeadView.for_labels(self.backend),
                batch_tokens=self.batch_tokens,
                template=None if chosen is None else HypothesisTemplate(chosen),
                temperature=temperature,
            )
        if not isinstance(self.layout, PairLayout):
            return JointLabelScorer(
                tokenizer=self.tokenizer,
                layout=self.layout,
                backend=self.backend,
                batch_tokens=self.batch_tokens,
                template=None if chosen is None else HypothesisTemplate(chosen),
                temperature=temperature,
                label_orders=label_orders,
            )
        return NliLabelScorer(
            pairs=self.pairs(),
            head=self.entail_head,
            template=HypothesisTemplate(DEFAULT_TEMPLATE if chosen is None else chosen),
            score_mode=score_mode,
            temperature=temperature,
        )

    def pairs(self) -> PairScorer:
        """Return what scores premises and hypotheses."""
        backend = HeadView.for_pairs(self.backend) if self._has_many_heads else self.backend
        return PairScorer(self.tokenizer, self._pair_layout, backend, self.batch_tokens)

    def reader(self) -> SpanReader:
        """Return what reads contexts for answers."""
        backend = HeadView.for_answers(self.backend) if self._has_many_heads else self.backend
        return SpanReader(self.tokenizer, self._pair_layout, backend, self.batch_tokens)

    @property
    def entail_head(self) -> NliHead:
        """Which logit of a pair means what."""
        head = self.checkpoint.head
        if isinstance(head, MultitaskHead):
            return head.entail
        assert isinstance(head, NliHead)
        return head

    @property
    def _has_many_heads(self) -> bool:
        return isinstance(self.checkpoint.head, MultitaskHead)

    @property
    def _pair_layout(self) -> PairLayout:
        assert isinstance(self.layout, PairLayout)
        return self.layout

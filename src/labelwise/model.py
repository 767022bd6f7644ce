"""The noun to hold: a loaded checkpoint with its verbs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypedDict, overload

from labelwise.backends.base import Backend
from labelwise.batching import DEFAULT_BATCH_TOKENS
from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.settings import ScoreKind
from labelwise.decision import DecisionRule, Threshold
from labelwise.errors import InputError, LabelError, TaskNotSupportedError
from labelwise.inputs import (
    Pair,
    checked_text,
    checked_texts,
    in_chunks,
    one_or_many,
    single_pair,
    with_label_sets,
)
from labelwise.labels import Labels, LabelSet, are_per_text, label_sets
from labelwise.results import Answer, Classification, Entailment, RankedCandidate
from labelwise.scores import ScoreMode
from labelwise.spans import AnswerRule
from labelwise.tasks.answer import answer
from labelwise.tasks.classify import classify
from labelwise.tasks.entail import entail
from labelwise.tasks.joint import check_label_orders
from labelwise.tasks.pairs import OnProgress
from labelwise.tasks.rank import PremiseSide, rank
from labelwise.tasks.scorers import Layout, Scorers
from labelwise.text.tokenizer import TextTokenizer
from labelwise.windows import Truncation

__all__ = ["Model"]

if TYPE_CHECKING:
    from typing_extensions import Unpack


class ClassifySettings(TypedDict, total=False):
    """The keyword arguments of ``Model.classify``, which documents them."""

    multi_label: bool
    hypothesis_template: str | None
    threshold: Threshold
    top_k: int | None
    none_label: str | None
    score_mode: ScoreMode
    label_orders: int
    truncation: Truncation
    on_progress: OnProgress | None


class AnswerSettings(TypedDict, total=False):
    """The keyword arguments of ``Model.answer`` that do not change the shape of its result."""

    no_answer: bool
    max_answer_tokens: int
    null_threshold: float | None
    on_progress: OnProgress | None


@dataclass(frozen=True, slots=True)
class Model:
    """A loaded checkpoint; made by ``labelwise.load``, safe to use from many threads.

    Every verb takes one item and returns one result, takes a list and returns a list, or takes any
    other iterable and returns an iterator that reads it a chunk at a time, so that memory stays flat.

    Attributes:
        checkpoint: what was loaded.
        tokenizer: encodes text.
        layout: puts two texts, or a text and its labels, into one sequence with the control tokens.
        backend: runs the network.
        batch_tokens: the most tokens in one padded batch.
    """

    checkpoint: Checkpoint
    tokenizer: TextTokenizer
    layout: Layout
    backend: Backend
    batch_tokens: int = DEFAULT_BATCH_TOKENS

    @property
    def tasks(self) -> frozenset[str]:
        """The verbs that this checkpoint can do."""
        return self.checkpoint.tasks

    @overload
    def classify(
        self, text: str, /, labels: Labels, **settings: Unpack[ClassifySettings]
    ) -> Classification: ...
    @overload
    def classify(
        self, text: Sequence[str], /, labels: Labels | Sequence[Labels], **settings: Unpack[ClassifySettings]
    ) -> list[Classification]: ...
    @overload
    def classify(
        self, text: Iterable[str], /, labels: Labels | Iterable[Labels], **settings: Unpack[ClassifySettings]
    ) -> Iterator[Classification]: ...

    def classify(
        self,
        text: str | Iterable[str],
        /,
        labels: Labels | Iterable[Labels],
        *,
        multi_label: bool = False,
        hypothesis_template: str | None = None,
        threshold: Threshold = None,
        top_k: int | None = None,
        none_label: str | None = None,
        score_mode: ScoreMode = "entail_logit",
        label_orders: int = 1,
        truncation: Truncation = "window",
        on_progress: OnProgress | None = None,
    ) -> Classification | list[Classification] | Iterator[Classification]:
        """Say which labels fit a text, or each of many texts.

        Args:
            text: one text, a list, or any iterable of texts.
            labels: names, a mapping name -> description, a nested mapping, or a list with one of those
                per text.
            multi_label: judge each label by itself; otherwise labels compete and their scores sum to 1.
            hypothesis_template: a sentence with one ``{}``; None takes the checkpoint's own or
                "This example is {}.", and for models that read text and labels together the bare label.
            threshold: least score of an accepted label: a number, or a mapping label -> number.
            top_k: keep that many labels, best first.
            none_label: the name that is returned when none of the labels fits.
            score_mode: "entail_logit" as in transformers' pipeline, or "entail_minus_rest"; for entailment
                models.
            label_orders: in how many orders a model that reads all labels together (GliZNet, GLiClass) reads
                them; the average of 2 or more does not depend on the order given. Entailment models read
                each label alone, so it changes nothing there.
            truncation: "window" reads long texts in overlapping parts, "truncate" cuts and says so,
                "error" refuses.
            on_progress: called with (pairs done, pairs in all) after each batch.

        Raises:
            InputError: a text is blank, or a setting has no meaning (LabelError and TemplateError are kinds).
            TaskNotSupportedError: the checkpoint does not classify.

        Example:
            >>> import labelwise
            >>> model = labelwise.load()
            >>> model.classify("My card was charged twice", labels=["billing", "delivery"]).best.label
            'billing'
        """
        kind: ScoreKind = "multi_label" if multi_label else "classify"
        scorers = self._scorers("classify")
        check_label_orders(label_orders)
        scorer = scorers.labels(kind, hypothesis_template, score_mode, label_orders)
        settings = self.checkpoint.settings
        rule = DecisionRule(
            multi_label=multi_label,
            threshold=threshold,
            top_k=top_k,
            none_label=none_label,
            usual_thresholds=settings.thresholds,
            usual_threshold=0.5 if settings.default_threshold is None else settings.default_threshold,
            label_biases=settings.label_biases,
            none_bias=settings.none_bias,
        )

        def classify_chunk(chunk: Sequence[tuple[str, LabelSet]]) -> list[Classification]:
            return classify(
                [text for text, _ in chunk],
                [label_set for _, label_set in chunk],
                scorer,
                rule,
                truncation=truncation,
                on_progress=on_progress,
            )

        if isinstance(text, str):
            if isinstance(labels, Sequence) and are_per_text(labels):
                raise LabelError(
                    "labels holds one label set per text, but there is one text; give one label set"
                )
            return classify_chunk([(checked_text(text, "text 1"), LabelSet.parse(labels))])[0]  # type: ignore[arg-type]
        if isinstance(text, Sequence):
            sets = label_sets(labels, num_texts=len(text))  # type: ignore[arg-type]
            return classify_chunk(list(zip(checked_texts(text), sets, strict=True)))
        return in_chunks(with_label_sets(text, labels), classify_chunk)

    @overload
    def entail(self, premise: str, hypothesis: str, *, truncation: Truncation = "window") -> Entailment: ...
    @overload
    def entail(
        self,
        *,
        pairs: Sequence[Pair],
        truncation: Truncation = "window",
        on_progress: OnProgress | None = None,
    ) -> list[Entailment]: ...
    @overload
    def entail(
        self,
        *,
        pairs: Iterable[Pair],
        truncation: Truncation = "window",
        on_progress: OnProgress | None = None,
    ) -> Iterator[Entailment]: ...

    def entail(
        self,
        premise: str | None = None,
        hypothesis: str | None = None,
        *,
        pairs: Iterable[Pair] | None = None,
        truncation: Truncation = "window",
        on_progress: OnProgress | None = None,
    ) -> Entailment | Sequence[Entailment] | Iterator[Entailment]:
        """Say whether a hypothesis follows from a premise.

        ``entail(premise, hypothesis)`` returns an Entailment; ``entail(pairs=[(p, h), ...])`` a list of
        them, and an iterator when ``pairs`` is not a list.

        Raises:
            InputError: a text is blank, or both a pair and ``pairs`` are given.
            TaskNotSupportedError: the checkpoint does not do entailment.
        """
        scorers = self._scorers("entail")
        scorer, head = scorers.pairs(), scorers.entail_head

        def entail_chunk(chunk: Sequence[Pair]) -> list[Entailment]:
            return entail(
                chunk,
                scorer,
                head,
                temperature=self.checkpoint.settings.temperature_of("entail"),
                truncation=truncation,
                on_progress=on_progress,
            )

        single = single_pair(premise, hypothesis, pairs, "premise and a hypothesis")
        return one_or_many(single, pairs, entail_chunk, sides=("premise", "hypothesis"))

    def rank(
        self,
        query: str,
        candidates: Sequence[str],
        *,
        top_k: int | None = None,
        premise: PremiseSide = "query",
        truncation: Truncation = "window",
        on_progress: OnProgress | None = None,
    ) -> list[RankedCandidate]:
        """Order candidates by their probability of entailment, best first.

        Args:
            query: the text to fit.
            candidates: the texts to order.
            top_k: return that many.
            premise: "query" asks which candidates follow from the query (the pair order of
                CrossEncoder.rank); "candidate" asks which candidates support the query.
            truncation: as in ``classify``.
            on_progress: as in ``classify``.

        Raises:
            InputError: no candidates, or a blank text.
            TaskNotSupportedError: the checkpoint does not rank.
        """
        if isinstance(candidates, str) or not isinstance(candidates, Iterable):
            given = "one string" if isinstance(candidates, str) else type(candidates).__name__
            raise InputError(f"candidates is {given}; give a list of texts")
        scorers = self._scorers("rank")
        return rank(
            checked_text(query, "the query"),
            [checked_text(text, f"candidate {number}") for number, text in enumerate(candidates, start=1)],
            scorers.pairs(),
            scorers.entail_head,
            top_k=top_k,
            premise=premise,
            temperature=self.checkpoint.settings.temperature_of("entail"),
            truncation=truncation,
            on_progress=on_progress,
        )

    @overload
    def answer(
        self, question: str, context: str, *, top_k: Literal[1] = 1, **settings: Unpack[AnswerSettings]
    ) -> Answer: ...
    @overload
    def answer(
        self, question: str, context: str, *, top_k: int, **settings: Unpack[AnswerSettings]
    ) -> list[Answer]: ...
    @overload
    def answer(
        self, *, pairs: Sequence[Pair], top_k: Literal[1] = 1, **settings: Unpack[AnswerSettings]
    ) -> list[Answer]: ...
    @overload
    def answer(
        self, *, pairs: Sequence[Pair], top_k: int, **settings: Unpack[AnswerSettings]
    ) -> list[list[Answer]]: ...
    @overload
    def answer(
        self, *, pairs: Iterable[Pair], top_k: int = 1, **settings: Unpack[AnswerSettings]
    ) -> Iterator[Answer] | Iterator[list[Answer]]: ...

    def answer(
        self,
        question: str | None = None,
        context: str | None = None,
        *,
        pairs: Iterable[Pair] | None = None,
        top_k: int = 1,
        no_answer: bool = True,
        max_answer_tokens: int = 30,
        null_threshold: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> Answer | list[Answer] | Sequence[Answer | list[Answer]] | Iterator[Answer | list[Answer]]:
        """Find the answer to a question in a context, or say that there is none.

        ``answer(question, context=...)`` returns an Answer, or a list when ``top_k`` is more than 1;
        ``answer(pairs=[(question, context), ...])`` returns one of those per pair, in order.

        Args:
            question: what is asked.
            context: where the answer is looked for; read in windows, whatever its length.
            pairs: many questions with their contexts.
            top_k: how many answers; they never overlap.
            no_answer: False always returns a span.
            max_answer_tokens: the longest answer.
            null_threshold: logits by which "no answer" must win (``score_diff`` of SQuAD 2.0); they count in
                all scores. None takes the checkpoint's own, 0 where it has none.
            on_progress: called with (windows done, windows in all).

        Raises:
            InputError: a text is blank, or a setting has no meaning.
            TaskNotSupportedError: the checkpoint has no reader head.
        """
        reader = self._scorers("answer").reader()
        rule = AnswerRule(
            top_k=top_k,
            no_answer=no_answer,
            max_answer_tokens=max_answer_tokens,
            null_threshold=(
                self.checkpoint.settings.null_threshold if null_threshold is None else null_threshold
            ),
        )

        def answer_chunk(chunk: Sequence[Pair]) -> list[Answer] | list[list[Answer]]:
            found = answer(chunk, reader, rule, on_progress=on_progress)
            return [answers[0] for answers in found] if top_k == 1 else found

        single = single_pair(question, context, pairs, "question and a context")
        return one_or_many(single, pairs, answer_chunk, sides=("question", "context"))

    def _scorers(self, task: str) -> Scorers:
        self._require(task)
        return Scorers(self.checkpoint, self.tokenizer, self.layout, self.backend, self.batch_tokens)

    def _require(self, task: str) -> None:
        if task not in self.tasks:
            raise TaskNotSupportedError(
                f"{self.checkpoint.ref!r} cannot {task}; it can {', '.join(sorted(self.tasks))}"
            )

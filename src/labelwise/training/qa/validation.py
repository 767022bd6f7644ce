"""A reader in training, measured by the official SQuAD 2.0 rules on what it would answer."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from transformers import PreTrainedModel, TrainerControl

from labelwise.backends.heads import HeadOutputs
from labelwise.backends.torch import TorchBackend
from labelwise.errors import DataError
from labelwise.evaluation.squad import evaluate_squad
from labelwise.spans import AnswerRule
from labelwise.tasks.answer import SpanReader, answer
from labelwise.training.callbacks import FiniteLoss
from labelwise.training.qa.examples import QaExample
from labelwise.training.qa.start import ReaderBase

__all__ = ["QaTrainer", "QaValidation"]

log = logging.getLogger("labelwise.training")
_BATCH_TOKENS = 4096
_RULE = AnswerRule()


class QaValidation:
    """Validation questions, answered through ``tasks/answer.py`` as a finished model answers them."""

    def __init__(self, examples: Sequence[QaExample], base: ReaderBase, *, max_question_tokens: int) -> None:
        """Keep the questions that fit; longer ones are named and counted.

        Raises:
            DataError: none fits.
        """
        encoded = base.tokenizer.encode_many([example.question.lstrip() for example in examples])
        kept = [
            example
            for example, question in zip(examples, encoded, strict=True)
            if len(question) <= max_question_tokens
        ]
        self.num_left_out = len(examples) - len(kept)
        if not kept:
            raise DataError(f"every validation question has more than {max_question_tokens} tokens")
        if self.num_left_out:
            log.warning("%d validation questions are too long and left out", self.num_left_out)
        self.questions = [example.to_question() for example in kept]
        self._base = base

    def measure(self, model: PreTrainedModel) -> dict[str, float]:
        """Return the official measures under their official names, in per cent."""
        backend = TorchBackend(
            model,
            head=HeadOutputs("question-answering", None),
            pad_id=self._base.tokenizer.control.pad or 0,
        )
        reader = SpanReader(self._base.tokenizer, self._base.layout, backend, _BATCH_TOKENS)
        pairs = [(question.question, question.context) for question in self.questions]
        answers = [best for best, *_ in answer(pairs, reader, _RULE)]
        ids = [question.id for question in self.questions]
        report = evaluate_squad(
            self.questions,
            {key: found.text for key, found in zip(ids, answers, strict=True)},
            na_probs={key: found.null_score for key, found in zip(ids, answers, strict=True)},
        )
        return dict(report.measures)


class QaTrainer(FiniteLoss):
    """A Trainer that validates by answering questions."""

    control: TrainerControl

    def __init__(self, *, validation: QaValidation, **settings: Any) -> None:
        """Take the validation, and what transformers' Trainer takes."""
        super().__init__(eval_dataset=validation.questions, **settings)
        self._validation = validation

    def evaluate(self, *_: Any, metric_key_prefix: str = "eval", **__: Any) -> dict[str, float]:
        """Return the official measures; every process of a run measures all questions."""
        model = self.accelerator.unwrap_model(self.model)
        figures = self._validation.measure(model)
        metrics = {f"{metric_key_prefix}_{name}": value for name, value in figures.items()}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

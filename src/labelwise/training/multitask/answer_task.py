"""The answer task of a run: questions beside windows of their contexts."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from labelwise.errors import CheckpointError
from labelwise.text.pair import PairLayout
from labelwise.text.sequence import TokenSequence
from labelwise.text.tokenizer import TextTokenizer
from labelwise.training.multitask.batches import Batch, pad_rows
from labelwise.training.multitask.plan import Step
from labelwise.training.multitask.recipe import AnswerSource, MultitaskRecipe
from labelwise.training.qa.edited import edited_negatives
from labelwise.training.qa.encoding import QaFeatures, encode_examples
from labelwise.training.qa.examples import QaExample, read_qa_files
from labelwise.training.qa.negatives import paired_negatives

__all__ = ["AnswerTask", "read_answer_task"]

log = logging.getLogger("labelwise.training")
_NAMED_ROWS = 5


@dataclass(frozen=True, slots=True)
class AnswerTask:
    """Windows of all examples.

    Attributes:
        features: the windows.
        places: the windows that a round reads, some more than once.
        pad_token_id: fills a row up.
        examples: the questions that the windows are of.
        num_questions: file to its questions, those made unanswerable included.
    """

    features: QaFeatures
    places: NDArray[np.int64]
    pad_token_id: int
    examples: tuple[QaExample, ...]
    num_questions: Mapping[str, int]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each window of a round."""
        return self.features.lengths[self.places]

    def batch(self, step: Step) -> Batch:
        """Return a step's windows with ``starts``, ``ends`` (rows,) and ``may_answer`` (rows, tokens)."""
        windows = self.places[step.rows]
        rows = [
            TokenSequence(ids.astype(np.int64), types.astype(np.int64))
            for ids, types in (self.features.row(int(window)) for window in windows)
        ]
        batch = pad_rows(rows, pad_token_id=self.pad_token_id)
        columns = np.arange(batch["input_ids"].shape[1])
        first, last = self.features.context_starts[windows], self.features.context_ends[windows]
        in_context = (columns >= first[:, None]) & (columns < last[:, None])
        return {
            **batch,
            "starts": torch.from_numpy(self.features.start_positions[windows]),
            "ends": torch.from_numpy(self.features.end_positions[windows]),
            "may_answer": torch.from_numpy(in_context | (columns == 0)),
        }


def read_answer_task(recipe: MultitaskRecipe, tokenizer: TextTokenizer, data_dir: Path) -> AnswerTask:
    """Read a recipe's questions, with unanswerable ones made from each source's answered ones.

    Raises:
        CheckpointError: the tokenizer has no token that opens a row or ends a text.
        DataError: a file cannot be read, or no row is usable.
    """
    chosen, control = recipe.hyperparameters, tokenizer.control
    if control.cls is None or control.sep is None:
        raise CheckpointError("the base's tokenizer has no [CLS] or [SEP]: use an encoder's folder")
    layout = PairLayout(
        (control.cls,),
        (control.sep,),
        (control.sep,),
        has_token_types=True,
        max_tokens=chosen.max_window_tokens,
    )
    examples: list[QaExample] = []
    repeats: list[int] = []
    num_questions: dict[str, int] = {}
    for source in recipe.answer:
        found = _read(source, data_dir, share=chosen.negatives_share, seed=recipe.seed)
        examples += found
        repeats += [source.repeats] * len(found)
        num_questions[source.path] = len(found)
    features = encode_examples(
        examples,
        tokenizer,
        layout,
        max_tokens=chosen.max_window_tokens,
        stride=chosen.window_stride,
        max_question_tokens=chosen.max_question_tokens,
        max_empty_windows=1,
        seed=recipe.seed,
    )
    times = np.array(repeats, dtype=np.int64)[features.example_indices]
    places = np.repeat(np.arange(len(features)), times)
    return AnswerTask(features, places, control.pad or 0, tuple(examples), num_questions)


def _read(source: AnswerSource, data_dir: Path, *, share: float, seed: int) -> Sequence[QaExample]:
    found = read_qa_files([data_dir / source.path])
    for row in found.left_out[:_NAMED_ROWS]:
        log.warning("left out: %s", row)
    negatives = (
        *paired_negatives(found.examples, share=share, seed=seed),
        *edited_negatives(found.examples, share=source.edited_share, seed=seed),
    )
    log.info(
        "%7d questions from %s, %d made unanswerable, %d rows left out",
        len(found.examples) + len(negatives),
        source.path,
        len(negatives),
        len(found.left_out),
    )
    return [*found.examples, *negatives]

"""The loss of each task."""

from __future__ import annotations

import torch
from torch import Tensor

from labelwise.models.losses import binary_cross_entropy, one_vs_negatives_loss
from labelwise.models.multitask import MultitaskOutput
from labelwise.models.multitask.configuration import ENTAIL_CLASSES
from labelwise.training.loss import MarginalCrossEntropy

__all__ = ["answer_loss", "task_loss"]

_entail_loss = MarginalCrossEntropy(ENTAIL_CLASSES)


def task_loss(task: str, outputs: MultitaskOutput, batch: dict[str, Tensor]) -> Tensor:
    """Return the loss of one step's rows.

    Labels: half binary cross-entropy, so that each label stands for itself, and half each true label against
    all false ones of its row, so that they rank. Entailment: marginal cross-entropy. Answers: the mean of
    the start's and the end's cross-entropy, as in BERT for SQuAD.
    """
    if task == "classify":
        targets, logits = batch["targets"], outputs["label_logits"]
        return 0.5 * binary_cross_entropy(logits, targets) + 0.5 * one_vs_negatives_loss(logits, targets)
    if task == "entail":
        return _entail_loss({"logits": outputs["entail_logits"]}, batch["targets"])
    start = answer_loss(outputs["start_logits"], batch["starts"], batch["may_answer"])
    end = answer_loss(outputs["end_logits"], batch["ends"], batch["may_answer"])
    return 0.5 * (start + end)


def answer_loss(logits: Tensor, places: Tensor, may_answer: Tensor) -> Tensor:
    """Return the mean cross-entropy over the places where an answer may stand.

    Args:
        logits: shape (rows, tokens).
        places: shape (rows,); 0, the first token, is "no answer".
        may_answer: boolean, shape (rows, tokens): the context's tokens and the first one.
    """
    scores = logits.float().masked_fill(~may_answer, torch.finfo(torch.float32).min)
    return torch.nn.functional.cross_entropy(scores, places)

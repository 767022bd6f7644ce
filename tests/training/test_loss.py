from __future__ import annotations

import math

import pytest

from labelwise.errors import LabelwiseError
from labelwise.training.records import PAIR_LABELS

torch = pytest.importorskip("torch")

from labelwise.training.loss import MarginalCrossEntropy, allowed_classes  # noqa: E402

THREE = ("contradiction", "entailment", "neutral")
TWO = ("not_entailment", "entailment")


def labels(*names: str):
    return torch.tensor([PAIR_LABELS.index(name) for name in names])


def test_rows_with_one_class_have_the_cross_entropy_of_that_class():
    logits = torch.randn(3, 3, generator=torch.Generator().manual_seed(0))
    loss = MarginalCrossEntropy(THREE)({"logits": logits}, labels("entailment", "neutral", "contradiction"))
    peer = torch.nn.functional.cross_entropy(logits, torch.tensor([1, 2, 0]))
    torch.testing.assert_close(loss, peer)


def test_not_entailment_asks_for_the_sum_of_the_other_two_probabilities():
    logits = torch.tensor([[math.log(0.2), math.log(0.5), math.log(0.3)]])
    loss = MarginalCrossEntropy(THREE)({"logits": logits}, labels("not_entailment"))
    assert loss.item() == pytest.approx(-math.log(0.2 + 0.3), abs=1e-6)


def test_a_two_class_head_learns_neutral_and_contradiction_as_not_entailment():
    assert allowed_classes(TWO).tolist() == [[False, True], [True, False], [True, False], [True, False]]


def test_not_entailment_leaves_neutral_against_contradiction_alone():
    logits = torch.zeros(1, 3, requires_grad=True)
    MarginalCrossEntropy(THREE)({"logits": logits}, labels("not_entailment")).backward()
    contradiction, entailment, neutral = logits.grad[0].tolist()
    assert contradiction == pytest.approx(neutral)
    assert contradiction < 0 < entailment


def test_accumulated_batches_sum_up_to_the_loss_of_one_large_batch():
    logits = torch.randn(8, 3, generator=torch.Generator().manual_seed(1))
    wanted = labels(*PAIR_LABELS, *PAIR_LABELS)
    loss = MarginalCrossEntropy(THREE)
    parts = sum(loss({"logits": logits[at : at + 2]}, wanted[at : at + 2], 8) for at in range(0, 8, 2))
    torch.testing.assert_close(parts, loss({"logits": logits}, wanted))


def test_extreme_logits_stay_finite_and_a_nan_stops_the_run():
    loss = MarginalCrossEntropy(THREE)
    assert loss({"logits": torch.tensor([[0.0, 3e4, -3e4]])}, labels("not_entailment")).item() == 3e4
    with pytest.raises(LabelwiseError, match=r"the loss is nan: lower learning_rate"):
        loss({"logits": torch.full((1, 3), math.nan)}, labels("neutral"))

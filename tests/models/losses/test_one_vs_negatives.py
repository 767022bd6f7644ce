from __future__ import annotations

import math

import pytest
import torch

from labelwise.models.losses import one_vs_negatives_loss


@pytest.mark.parametrize("margin", [0.0, 0.5])
def test_the_loss_equals_the_reference(logits, targets, reference, margin):
    expected = reference.one_vs_negatives(logits.numpy(), targets.numpy(), margin)
    assert one_vs_negatives_loss(logits, targets, margin=margin).item() == pytest.approx(expected, rel=1e-12)


def test_gradients_equal_finite_differences(targets):
    logits = torch.randn(targets.shape, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda z: one_vs_negatives_loss(z, targets, margin=0.5), (logits,))


def test_one_true_against_one_false_label_of_the_same_logit_costs_log_two():
    loss = one_vs_negatives_loss(torch.zeros(1, 2), torch.tensor([[1, 0]]))
    assert loss.item() == pytest.approx(math.log(2))


def test_true_labels_do_not_compete_with_each_other():
    logits = torch.tensor([[1.0, 0.0, -1.0]], requires_grad=True)
    one_vs_negatives_loss(logits[:, ::2], torch.tensor([[1, 0]])).backward()
    alone = logits.grad[0, 0].clone()
    logits.grad = None
    one_vs_negatives_loss(logits, torch.tensor([[1, 1, 0]])).backward()
    assert logits.grad[0, 0].item() == pytest.approx(alone.item() / 2)


@pytest.mark.parametrize(
    "targets",
    [[[1, 1, -100]], [[0, 0, -100]], [[-100, -100, -100]]],
    ids=["no negatives", "no positives", "nothing known"],
)
def test_rows_without_a_contrast_cost_nothing_and_have_no_gradient(targets):
    targets = torch.tensor(targets)
    logits = torch.randn(1, 3).masked_fill(targets == -100, float("-inf")).requires_grad_()
    loss = one_vs_negatives_loss(logits, targets, margin=0.5)
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()


def test_a_row_without_positives_does_not_dilute_the_mean():
    logits = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    both = one_vs_negatives_loss(logits, torch.tensor([[1, 0], [0, 0]]))
    alone = one_vs_negatives_loss(logits[:1], torch.tensor([[1, 0]]))
    assert both.item() == pytest.approx(alone.item())


def test_a_row_without_negatives_counts_as_zero_in_the_mean():
    logits = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    both = one_vs_negatives_loss(logits, torch.tensor([[1, 0], [1, 1]]))
    alone = one_vs_negatives_loss(logits[:1], torch.tensor([[1, 0]]))
    assert both.item() == pytest.approx(alone.item() / 2)


def test_a_batch_without_labels_costs_nothing():
    logits = torch.zeros(2, 0, requires_grad=True)
    loss = one_vs_negatives_loss(logits, torch.zeros(2, 0, dtype=torch.long))
    loss.backward()
    assert loss.item() == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_extreme_logits_stay_finite(dtype):
    logits = torch.tensor([[-3e4, 3e4, 0.0]], dtype=dtype, requires_grad=True)
    loss = one_vs_negatives_loss(logits, torch.tensor([[1, 0, 0]]), margin=0.5)
    loss.backward()
    assert loss.item() == pytest.approx(6e4, rel=1e-2)
    assert torch.isfinite(logits.grad).all()

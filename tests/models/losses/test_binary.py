from __future__ import annotations

import pytest
import torch

from labelwise.errors import InputError
from labelwise.models.losses import binary_cross_entropy, focal_loss


def test_cross_entropy_equals_the_reference(logits, targets, reference):
    expected = reference.binary(logits.numpy(), targets.numpy())
    assert binary_cross_entropy(logits, targets).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("gamma", "alpha"), [(1.85, None), (2.0, 0.25), (0.5, 0.9), (0.0, None)])
def test_focal_loss_equals_the_reference(logits, targets, reference, gamma, alpha):
    expected = reference.binary(logits.numpy(), targets.numpy(), gamma, alpha)
    assert focal_loss(logits, targets, gamma=gamma, alpha=alpha).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("loss", [binary_cross_entropy, focal_loss])
def test_gradients_equal_finite_differences(targets, loss):
    logits = torch.randn(targets.shape, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda z: loss(z, targets), (logits,))


@pytest.mark.parametrize("loss", [binary_cross_entropy, focal_loss])
def test_unknown_labels_of_any_logit_get_no_gradient(logits, targets, loss):
    logits = logits.clone()
    logits[3, 0] = float("nan")
    logits.requires_grad_()
    loss(logits, targets).backward()
    assert torch.isfinite(logits.grad).all()
    assert not logits.grad[targets == -100].any()
    assert logits.grad[targets != -100].all()


@pytest.mark.parametrize("loss", [binary_cross_entropy, focal_loss])
@pytest.mark.parametrize("num_labels", [0, 3])
def test_nothing_known_costs_nothing_and_still_has_a_gradient(loss, num_labels):
    logits = torch.full((2, num_labels), float("-inf"), requires_grad=True)
    value = loss(logits, torch.full((2, num_labels), -100))
    value.backward()
    assert value.item() == 0
    assert not logits.grad.any()


def test_a_focal_loss_with_gamma_below_one_has_finite_gradients_on_extreme_logits():
    logits = torch.tensor([[200.0, -200.0, 200.0]], requires_grad=True)
    focal_loss(logits, torch.tensor([[1, 0, 0]]), gamma=0.5).backward()
    assert torch.isfinite(logits.grad).all()


def test_half_precision_logits_give_a_float32_loss(logits, targets):
    assert binary_cross_entropy(logits.to(torch.bfloat16), targets).dtype == torch.float32


@pytest.mark.parametrize("bad", [{"gamma": -1.0}, {"alpha": 1.5}])
def test_focal_settings_outside_their_range_are_refused(logits, targets, bad):
    with pytest.raises(InputError, match=next(iter(bad))):
        focal_loss(logits, targets, **bad)


def test_tables_of_different_shape_are_refused(logits, targets):
    with pytest.raises(InputError, match=r"\[5, 5\].*\[5, 4\]"):
        binary_cross_entropy(logits, targets[:, :4])

from __future__ import annotations

import pytest
import torch

from labelwise.errors import InputError
from labelwise.models.losses import LOSS_NAMES, LossSettings, weighted_total


@pytest.fixture
def label_vectors(targets):
    shape = (*targets.shape, 3)
    return torch.randn(shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def test_the_total_is_the_published_mix(logits, targets, label_vectors, reference):
    present = targets != -100
    settings = LossSettings(softmax_weight=0.5, softmax_margin=0.5, binary_weight=0.3, repulsion_weight=0.05)
    total = weighted_total(logits, targets, label_vectors, present, settings=settings)
    expected = (
        0.5 * reference.one_vs_negatives(logits.numpy(), targets.numpy(), 0.5)
        + 0.3 * reference.binary(logits.numpy(), targets.numpy())
        + 0.05 * reference.repulsion(label_vectors[present].numpy())
    )
    assert total.item() == pytest.approx(expected, rel=1e-12)


def test_the_later_designs_take_the_same_weights(logits, targets, label_vectors, reference):
    present = targets != -100
    settings = LossSettings(
        names=("focal", "sample_repulsion"), binary_weight=0.3, repulsion_weight=2.0, focal_gamma=1.5
    )
    total = weighted_total(logits, targets, label_vectors, present, settings=settings)
    expected = 0.3 * reference.binary(
        logits.numpy(), targets.numpy(), 1.5
    ) + 2.0 * reference.sample_repulsion(label_vectors.numpy(), present.numpy())
    assert total.item() == pytest.approx(expected, rel=1e-12)


def test_the_gradient_of_all_losses_together_equals_finite_differences(targets, label_vectors):
    logits = torch.randn(targets.shape, dtype=torch.float64, requires_grad=True)
    label_vectors.requires_grad_()
    settings = LossSettings(names=LOSS_NAMES, repulsion_weight=1.0)

    def total(logits, vectors):
        return weighted_total(logits, targets, vectors, targets != -100, settings=settings)

    assert torch.autograd.gradcheck(total, (logits, label_vectors))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_counts_as_nothing(logits, targets, label_vectors, reference, value):
    label_vectors[0, 0, 0] = value
    total = weighted_total(logits, targets, label_vectors, targets != -100, settings=LossSettings())
    expected = 0.5 * reference.one_vs_negatives(logits.numpy(), targets.numpy(), 0.5)
    expected += 0.5 * reference.binary(logits.numpy(), targets.numpy())
    assert total.item() == pytest.approx(expected, rel=1e-12)


def test_a_batch_with_nothing_known_and_one_label_costs_nothing():
    logits = torch.randn(1, 1, requires_grad=True)
    vectors = torch.randn(1, 1, 4, requires_grad=True)
    present = torch.ones(1, 1, dtype=torch.bool)
    total = weighted_total(
        logits, torch.tensor([[-100]]), vectors, present, settings=LossSettings(names=LOSS_NAMES)
    )
    total.backward()
    assert total.item() == 0
    assert not logits.grad.any() and not vectors.grad.any()


def test_an_unknown_name_is_a_value_error_that_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"'hinge' is unknown: use softmax, repulsion, bce"):
        LossSettings(names=("softmax", "hinge"))


def test_no_name_at_all_is_refused():
    with pytest.raises(InputError, match="no loss"):
        LossSettings(names=())
